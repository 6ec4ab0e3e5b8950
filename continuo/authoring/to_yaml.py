"""A pattern as the YAML that a person would write."""

from functools import cache
from typing import Any, get_type_hints

import yaml

from continuo.authoring.files import NamedPattern
from continuo.data import Data, Seconds, duration
from continuo.patterns import Spec, Step


def to_yaml(pattern: Step | NamedPattern) -> str:
    """`pattern` as YAML: the kind first, defaults left out. What is read from it equals `pattern`."""
    return yaml.dump(
        _plain(pattern), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
    )


def _plain(value: object) -> Any:
    if isinstance(value, Data):
        return _fields(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _fields(value: Data) -> dict[str, Any] | str:
    kind = getattr(value, "kind", None)
    fields: dict[str, Any] = {"kind": kind} if kind else {}
    for name, info in type(value).model_fields.items():
        item = getattr(value, name)
        if name != "kind" and item != info.default:
            fields[name] = duration(item) if name in _durations(type(value)) else _plain(item)
    # A choice with nothing to say but its name, as in `by: complexity`; a pattern is always written out.
    return kind if kind and len(fields) == 1 and not isinstance(value, Spec) else fields


@cache
def _durations(kind: type[Data]) -> frozenset[str]:
    hints = get_type_hints(kind, localns={"Step": Step}, include_extras=True)
    return frozenset(name for name, hint in hints.items() if hint in (Seconds, Seconds | None))


class _Dumper(yaml.SafeDumper):
    """Writes what is used twice twice, and lines as lines."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # YAML would read the rarer line breaks as other ones, unless they are escaped in quotes.
    style = '"' if any(rare in text for rare in "\x85\u2028\u2029") else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
