"""A model that is replaced in a pattern's file: first beside it, in a shadow, then in its place. All else stays as a
person wrote it, but for how far it is indented."""

import json
import re
from collections.abc import Iterator

import yaml
from pydantic import ValidationError

from continuo.authoring.bounded_yaml import compose, construct
from continuo.authoring.files import NamedPattern
from continuo.data import Data
from continuo.errors import InputError
from continuo.patterns import Split, Step, Variant
from continuo.patterns.walk import models_in, parts, replaced

NOW = "now"
"""The variant that a pattern becomes which was no split."""

BY_HAND = "it is written in a way that cannot be changed here; change it by hand"


def asks(step: Step, model: str) -> bool:
    """Whether the model's own name stands in the step."""
    return any(model in models_in(part).values() for part in parts(step))


def shadow_of(model: str) -> str:
    """What the shadow is called in which a model is tried."""
    return re.sub(r"[^\w -]", "-", model)[:40]


def shadowed(step: Step, model: str, other: str) -> Split:
    """A split that answers as the step does, with the same beside it by the `other` model. Of a split it is the first
    variant that asks the model."""
    if not isinstance(step, Split):
        return Split(variants={NOW: Variant(step=step)}, shadow={shadow_of(other): by_other(step, model, other)})
    tried = step.variants[_first(step, model)].step
    return step.model_copy(update={"shadow": {**step.shadow, shadow_of(other): by_other(tried, model, other)}})


def applied(step: Step, model: str, other: str) -> Step:
    """The step by the `other` model, without the shadow in which that was tried."""
    if isinstance(step, Split):
        rest = {name: shadow for name, shadow in step.shadow.items() if name != shadow_of(other)}
        step = step.model_copy(update={"shadow": rest})
        if step == Split(variants={NOW: Variant(step=step.variants[next(iter(step.variants))].step)}):
            step = step.variants[NOW].step
    return by_other(step, model, other)


def by_other(step: Step, model: str, other: str) -> Step:
    """The step with the `other` model wherever the one stands."""

    def change(part: Data) -> Data:
        names = {field: other for field, name in models_in(part).items() if name == model}
        return part.model_copy(update=names) if names else part

    return replaced(step, change)


def with_shadow(text: str, model: str, other: str) -> str:
    """The text of a pattern's file, whose pattern becomes what `shadowed` makes of it.

    Raises `InputError` where it has such a shadow, or cannot be changed.
    """
    named, node = _read(text)
    step, name = named.pattern, shadow_of(other)
    renamed = _renamed(text, model, other)
    if not isinstance(step, Split):
        shadow = _field("shadow", _field(name, _body(renamed, _read(renamed)[1])))
        variants = _field("variants", _field(NOW, _field("step", _body(text, node))))
        edited = _put(text, node, f"kind: split\n{variants}\n{shadow}")
    elif name in step.shadow:
        raise InputError(f"it has a shadow {name!r} already")
    else:
        tried = _at(_read(renamed)[1], "variants", _first(step, model), "step")
        own = _field(name, _body(renamed, tried))
        into = _at(node, "shadow") if step.shadow else node
        edited = _put(text, into, f"{_body(text, into)}\n{own if step.shadow else _field('shadow', own)}")
    return _checked(edited, named.model_copy(update={"pattern": shadowed(step, model, other)}))


def with_replacement(text: str, model: str, other: str) -> str:
    """The text of a pattern's file, whose pattern becomes what `applied` makes of it. Raises `InputError` where it
    cannot be changed."""
    named, node = _read(text)
    wanted = applied(named.pattern, model, other)
    if isinstance(named.pattern, Split) and shadow_of(other) in named.pattern.shadow:
        if not isinstance(wanted, Split):
            text = _put(text, node, _body(text, _at(node, "variants", NOW, "step")))
        elif wanted.shadow:
            text = _without(text, _at(node, "shadow"), shadow_of(other))
        else:
            text = _without(text, node, "shadow")
    return _checked(_renamed(text, model, other), named.model_copy(update={"pattern": wanted}))


def _read(text: str) -> tuple[NamedPattern, yaml.MappingNode]:
    try:
        node = compose(text, "pattern")
        named = NamedPattern.model_validate(construct(compose(text, "pattern") or yaml.ScalarNode("", "")))
    except (yaml.YAMLError, ValidationError):
        raise InputError(BY_HAND) from None
    return named, _at(node, "pattern")


def _checked(text: str, wanted: NamedPattern) -> str:
    """The text, if it says what is wanted: nothing that a person wrote is changed by mistake."""
    if _read(text)[0] != wanted:
        raise InputError(BY_HAND)
    return text


def _first(split: Split, model: str) -> str:
    """The first variant that asks the model."""
    asking = (name for name, variant in split.variants.items() if asks(variant.step, model))
    if (name := next(asking, None)) is None:
        raise InputError(f"none of its variants asks {model!r}; change it by hand")
    return name


def _at(node: yaml.Node | None, *names: str) -> yaml.MappingNode:
    """The mapping at these names. Raises `InputError` where it is none that stands there itself."""
    for name in names:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in pairs if key.value == name), None)
    if not isinstance(node, yaml.MappingNode):
        raise InputError(BY_HAND)
    return node


def _renamed(text: str, model: str, other: str) -> str:
    """The text, with the `other` model wherever the pattern has the one."""
    named, node = _read(text)
    fields = {field for part in parts(named) for field, name in models_in(part).items() if name == model}
    # An alias is the same node again.
    spans = {
        (value.start_mark.index, value.end_mark.index)
        for key, value in _pairs(node)
        if key.value in fields and value.value == model
    }
    written = other if yaml.safe_load(other) == other else json.dumps(other)
    for begin, end in sorted(spans, reverse=True):
        text = text[:begin] + written + text[end:]
    return text


def _pairs(node: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _pairs(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key, value
            yield from _pairs(value)


def _body(text: str, node: yaml.MappingNode) -> str:
    """The lines of a mapping, as if it began at the edge."""
    first, *rest = text[node.start_mark.index : _end(text, node)].split("\n")
    column = node.start_mark.column
    return "\n".join([first, *(line[min(column, len(line) - len(line.lstrip(" "))) :] for line in rest)])


def _put(text: str, node: yaml.MappingNode, body: str) -> str:
    """The text with these lines in place of a mapping."""
    head, column = text[: node.start_mark.index].rstrip(" "), node.start_mark.column
    gap, column = ("\n", 2) if node.flow_style else ("", column)
    return head + gap + _indented(body, column) + text[_end(text, node) :]


def _indented(body: str, by: int) -> str:
    return "\n".join(" " * by + line if line else line for line in body.split("\n"))


def _field(name: str, body: str) -> str:
    return f"{name}:\n{_indented(body, 2)}"


def _without(text: str, node: yaml.MappingNode, name: str) -> str:
    """The text without a field of a mapping."""
    key, value = next((key, value) for key, value in node.value if key.value == name)
    return text[: key.start_mark.index].rstrip(" ") + text[_end(text, value) :].removeprefix("\n")


def _end(text: str, node: yaml.Node) -> int:
    """Where what a node says ends: its mark is where the next one begins."""
    begin = node.start_mark.index
    return begin + len(text[begin : node.end_mark.index].rstrip())
