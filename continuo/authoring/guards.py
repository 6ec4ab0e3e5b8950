"""What a guard checks with, before anything is asked."""

from continuo.config.guardrails import KINDS, Policy
from continuo.errors import InputError, unknown
from continuo.patterns import Checks, Guard, Step
from continuo.patterns.guard import MOST_WORDS
from continuo.patterns.walk import specs
from continuo.text_file import read_text

MAX_FILE_BYTES = 1_000_000


def check_guards(step: Step, policy: Policy) -> None:
    """Raise `InputError` for a check of a guard that cannot be made; own kinds of data are those of the policy."""
    for spec in specs(step):
        if isinstance(spec, Guard):
            for kind in spec.checks.personal:
                if kind not in (known := [*KINDS, *policy.own]):
                    raise unknown("kind of personal data", kind, known)
            _check(spec.checks)


def _check(checks: Checks) -> None:
    # Not above: most patterns have no guard, and it takes long to load.
    from continuo.decisions.json_schema import mistake_of
    from continuo.guardrails.checks.language import known_languages
    from continuo.regex import compiled

    if checks.json_schema is not None and (mistake := mistake_of(checks.json_schema)) is not None:
        raise InputError(f"json_schema is no JSON schema: {mistake}; correct it")
    if checks.matches is not None:
        try:
            compiled(checks.matches)
        except ValueError as wrong:
            raise InputError(f"matches: {wrong}; correct it") from None
    for language in checks.language:
        if language not in known_languages():
            raise unknown("language", language, known_languages())


def with_blocked_file(checks: Checks) -> Checks:
    """The checks with the words of their file: of each line one word or phrase, without those that begin with #.

    Raises `InputError` for a file that cannot be read or has other lines.
    """
    if checks.blocked_file is None:
        return checks
    path = checks.blocked_file
    lines = [line.strip() for line in read_text(path, MAX_FILE_BYTES).splitlines()]
    phrases = (*checks.blocked, *(line for line in lines if line and not line.startswith("#")))
    if len(phrases) > MOST_WORDS:
        raise InputError(f"{path} makes {len(phrases):,} blocked words, more than {MOST_WORDS:,}; shorten it")
    for phrase in phrases:
        if len(phrase) > 200 or not any(map(str.isalnum, phrase)):
            raise InputError(f"{path} has a line that is no word or phrase of at most 200 characters; correct it")
    return checks.model_copy(update={"blocked": phrases, "blocked_file": None})
