"""Prompts made from answers."""

from collections.abc import Mapping

from continuo.patterns import PLACEHOLDER


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `{name}` replaced by its value. The specs have checked that there is one."""
    return PLACEHOLDER.sub(lambda match: values[match[1]], template)


def listed(answers: Mapping[str, str]) -> str:
    """All answers as one text, each under its name."""
    return "\n\n".join(f"## {name}\n{text}" for name, text in answers.items())
