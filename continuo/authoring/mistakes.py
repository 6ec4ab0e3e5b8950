"""What is wrong in a YAML file: the line, the field as a person wrote it, and the fix."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from continuo.data import Data
from continuo.errors import unknown
from continuo.patterns import Step

_ADVICE = {
    "missing": "missing; add it",
    "model_type": "not a mapping; write its fields as `name: value`",
    "model_attributes_type": "not a mapping; write its fields as `name: value`",
    "dict_type": "not a mapping; write its entries as `name: value`",
    "tuple_type": "not a list; write [a, b], or a line `- a` for each item",
    "too_short": "has {actual_length}, needs at least {min_length}; add what is missing",
    "string_type": "not a text; put it in quotes",
}


def mistake(error: ValidationError, root: type[Data], node: yaml.Node | None) -> tuple[int, str, str]:
    """The line, the field and the fix of the first mistake in a value for `root`, which `node` was read as."""
    first = _first(error.errors())
    path, holder = _written(first["loc"], root)
    field, line, node = _found(path, node)
    if first["type"].startswith("union_tag"):
        short = isinstance(node, yaml.ScalarNode)
        inner, line, _ = (field, line, node) if short else _found(("kind",), node, field, line)
        return line, inner, _kind(first, _members(holder))
    if first["type"] == "extra_forbidden":
        return line, field, _no_such_field(str(path[-1]), holder)
    advice = _ADVICE[first["type"]].format(**first.get("ctx", {})) if first["type"] in _ADVICE else first["msg"]
    advice = advice.removeprefix("Value error, ")
    if first["type"] == "value_error":
        line = _mentioned(advice, node) or line
    return line, field or "the file", advice


def twice(node: yaml.Node | None) -> yaml.ScalarNode | None:
    """A key that its mapping has already; YAML itself would silently let the last one win."""
    mappings = [one for level in _levels(node) for one in level if isinstance(one, yaml.MappingNode)]
    for mapping in mappings:
        seen = set()
        for key, _ in mapping.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    return key
                seen.add(key.value)
    return None


def line_of(field: str, value: str, node: yaml.Node | None) -> int | None:
    """The first line in which `field` has this value."""
    mappings = [one for level in _levels(node) for one in level if isinstance(one, yaml.MappingNode)]
    nodes = [item for mapping in mappings for key, item in mapping.value if (key.value, item.value) == (field, value)]
    return min((item.start_mark.line + 1 for item in nodes), default=None)


def _first(errors: list[ErrorDetails]) -> ErrorDetails:
    """A missing field is most often a misspelt one beside it: that one is the mistake."""
    if errors[0]["type"] != "missing":
        return errors[0]
    beside = errors[0]["loc"][:-1]
    return next((one for one in errors if one["type"] == "extra_forbidden" and one["loc"][:-1] == beside), errors[0])


def _written(loc: tuple[int | str, ...], root: type[Data]) -> tuple[tuple[int | str, ...], Any]:
    """The parts of `loc` that stand in the file, and the type that holds the last of them (or is a union there).

    Pydantic's path also names the members of unions, which the file does not.
    """
    path: list[int | str] = []
    here, holder = _bare(root), _bare(root)
    for part in loc:
        if part == "[key]":
            break
        if get_origin(here) in (Union, UnionType):
            here = holder = next(kind for kind in get_args(here) if part in _kinds(kind))
        else:
            path.append(part)
            holder, here = here, _bare(_below(here, part))
    return tuple(path), here if get_origin(here) in (Union, UnionType) else holder


def _bare(kind: Any) -> Any:
    """The type without what only annotates it."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    present = [one for one in get_args(kind) if one is not type(None)]
    return _bare(present[0]) if get_origin(kind) in (Union, UnionType) and len(present) == 1 else kind


def _below(kind: Any, part: int | str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Data):
        return get_type_hints(kind, localns={"Step": Step}, include_extras=True).get(str(part))
    return get_args(kind)[0 if get_origin(kind) is tuple else -1] if get_args(kind) else None


def _members(union: Any) -> list[str]:
    return [name for kind in get_args(union) for name in _kinds(kind)]


def _kinds(kind: type[Data]) -> tuple[str, ...]:
    """What `kind` may be in one of these."""
    return get_args(kind.model_fields["kind"].annotation)


def _found(
    path: tuple[int | str, ...], node: yaml.Node | None, field: str = "", line: int = 0
) -> tuple[str, int, yaml.Node | None]:
    """The path as a person writes it, the line and the node of the last part that the file has."""
    line = line or (node.start_mark.line + 1 if node else 1)
    for part in path:
        entry = _entry(node, part)
        if isinstance(node, yaml.SequenceNode):
            field += f"[{part}]"
        else:
            field = f"{field}.{entry[0].value if entry else part}".lstrip(".")
        if entry is not None:
            line, node = entry[0].start_mark.line + 1, entry[1]
    return field, line, node


def _entry(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode):
        return (node.value[int(part)], node.value[int(part)])
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        # A name that is not in quotes may have been read as a number, or as yes or no.
        if key.value == str(part) or (key.tag == "tag:yaml.org,2002:bool" and yaml.safe_load(key.value) == part):
            return key, value
    merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
    several = [one for value in merged for one in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
    return next((result for one in several if (result := _entry(one, part))), None)


def _levels(node: yaml.Node | None) -> Iterator[list[yaml.Node]]:
    """`node`, what is directly below it, and so on; each node once, since an alias may lead back up."""
    level, seen = [node] if node else [], set[int]()
    while level:
        yield level
        seen.update(map(id, level))
        below = [one for above in level if not isinstance(above, yaml.ScalarNode) for one in above.value]
        flat = [one for item in below for one in (item if isinstance(item, tuple) else (item,))]
        level = [one for one in flat if id(one) not in seen]


def _mentioned(advice: str, node: yaml.Node | None) -> int | None:
    """The line below `node` of what the advice is about: the last name it quotes, or its first word.

    What lies deeper belongs to another step, and of two alike the second is one too many.
    """
    mention = advice.split(";")[0]
    for name in (*reversed(re.findall(r"'([^']+)'", mention)), mention.split()[0]):
        for level in _levels(node):
            scalars = [one for one in level if isinstance(one, yaml.ScalarNode)]
            lines = [one.start_mark.line for one in scalars if one.value == name or f"{{{name}}}" in one.value]
            if lines:
                return lines[-1] + 1
    return None


def _kind(error: ErrorDetails, kinds: list[str]) -> str:
    if error["type"] == "union_tag_invalid":
        return str(unknown("kind", str(error["ctx"]["tag"]), kinds))
    return f"missing; one of {', '.join(kinds)}"


def _no_such_field(name: str, holder: type[Data]) -> str:
    near = get_close_matches(name, holder.model_fields, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(holder.model_fields)}"
    return f"no such field; {hint}"
