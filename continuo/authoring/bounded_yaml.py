"""YAML of a stranger, read within limits: neither its depth nor what its aliases stand for grows without end."""

from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from continuo.errors import InputError

MAX_LEVELS = 200
"""Lists and mappings inside each other."""

MAX_NODES = 100_000
"""Names, values, lists and mappings, those of an alias counted wherever it stands."""


def compose(text: str, name: str) -> yaml.Node | None:
    """The nodes of the text, which know their lines; None if it is empty. `name` is the file's.

    Raises `InputError` for what passes the limits, and `yaml.YAMLError` for what is no YAML.
    """
    loader = _Composer(text, name)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def construct(node: yaml.Node) -> Any:
    """What the nodes stand for; merges are written out in them. Raises as `compose` does."""
    return _Constructor().construct_document(node)


class _Composer(yaml.SafeLoader):
    """Measures each node, its aliases written out, before anything is made of it."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name
        self._level = 0
        self._measured: dict[int, tuple[int, int]] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        is_alias = self.check_event(yaml.AliasEvent)
        self._check(mark, levels=self._level)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        if node is None:
            return None
        if not is_alias:
            self._measured[id(node)] = self._measure(node)
        elif id(node) not in self._measured:
            raise _error(mark, "an alias inside of what it stands for; write it out")
        nodes, levels = self._measured[id(node)]
        self._check(mark, nodes, self._level + levels)
        return node

    def _measure(self, node: yaml.Node) -> tuple[int, int]:
        """How many nodes it is, and how many levels of lists and mappings."""
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        parts = [part for one in node.value for part in (one if isinstance(one, tuple) else (one,))]
        below = [self._measured[id(part)] for part in parts]
        return 1 + sum(nodes for nodes, _ in below), 1 + max((levels for _, levels in below), default=0)

    @staticmethod
    def _check(mark: yaml.Mark, nodes: int = 0, levels: int = 0) -> None:
        if levels > MAX_LEVELS:
            raise _error(mark, f"more than {MAX_LEVELS} lists and mappings inside each other; take out the inner parts")
        if nodes > MAX_NODES:
            raise _error(mark, f"more than {MAX_NODES:,} names and values, its aliases written out; make it smaller")


class _Constructor(SafeConstructor):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except InputError:
            raise
        except (ArithmeticError, AttributeError, LookupError, ValueError):
            kind = node.tag.rpartition(":")[2]
            raise _error(node.start_mark, f"{str(node.value)[:40]!r} is no {kind}; put it in quotes") from None


def _error(mark: yaml.Mark, problem: str) -> InputError:
    return InputError(f"{mark.name}:{mark.line + 1}: {problem}")
