"""A field of a pattern's file, written in place of what it was: all else stays as a person wrote it."""

import yaml

from continuo.authoring.bounded_yaml import compose
from continuo.errors import InputError


def with_field(text: str, kind: str, field: str, value: str) -> str:
    """The text of a file with `value`, as YAML on one line, for the `field` of its first pattern of this `kind`.

    Raises `InputError` where the file has none, since it only names one.
    """
    spec = next((node for node in _mappings(compose(text, "pattern")) if _scalar(node, "kind") == kind), None)
    if spec is None:
        raise InputError(f"its {kind} stands in the file of another pattern, which it names; give that one")
    for key, old in spec.value:
        if key.value == field:
            end = old.start_mark.index + len(text[old.start_mark.index : old.end_mark.index].rstrip())
            return f"{text[: old.start_mark.index]}{value}{text[end:]}"
    key, said = next((key, said) for key, said in spec.value if key.value == "kind")
    gap = ", " if spec.flow_style else "\n" + " " * key.start_mark.column
    return f"{text[: said.end_mark.index]}{gap}{field}: {value}{text[said.end_mark.index :]}"


def _mappings(node: yaml.Node | None) -> list[yaml.MappingNode]:
    """Every mapping, outermost first."""
    if isinstance(node, yaml.SequenceNode):
        return [one for item in node.value for one in _mappings(item)]
    if isinstance(node, yaml.MappingNode):
        return [node, *(one for _, item in node.value for one in _mappings(item))]
    return []


def _scalar(node: yaml.MappingNode, name: str) -> str | None:
    return next((value.value for key, value in node.value if key.value == name), None)
