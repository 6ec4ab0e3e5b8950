"""What is wrong with the whole text of an answer. Nothing here quotes the answer."""

from collections.abc import Iterator

from continuo.decisions.json_schema import rule_broken
from continuo.guardrails.checks.language import is_in
from continuo.patterns import Characters, Checks
from continuo.regex import compiled


def mistakes(checks: Checks, text: str) -> Iterator[tuple[str, str]]:
    """Each check that the text does not pass, and why, as the end of "the answer …"."""
    if checks.json_schema is not None and (rule := rule_broken(text, checks.json_schema)) is not None:
        yield "json_schema", f"does not fit its JSON schema: {rule}"
    if checks.matches is not None and compiled(checks.matches).search(text) is None:
        yield "matches", f"does not match the regular expression {checks.matches}"
    if checks.language and not is_in(text, checks.language):
        yield "language", f"is not in the language {' or '.join(checks.language)}"
    if checks.length is not None and (wrong := _length(checks.length, len(text))) is not None:
        yield "length", wrong


def _length(wanted: Characters, length: int) -> str | None:
    if length < wanted.min:
        return f"has {length:,} characters, fewer than {wanted.min:,}"
    if wanted.max is not None and length > wanted.max:
        return f"has {length:,} characters, more than {wanted.max:,}"
    return None
