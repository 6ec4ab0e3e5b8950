"""Whether an answer may be had, and why not."""

from collections import Counter
from collections.abc import Mapping

from continuo.data import Data
from continuo.guardrails.checks.locating import locating, together
from continuo.guardrails.checks.redaction import blotted, blotted_once
from continuo.guardrails.checks.request import instructions, known_in, said
from continuo.guardrails.checks.texts import changed
from continuo.guardrails.checks.whole import mistakes
from continuo.guardrails.findings import Recogniser
from continuo.jobs import Job, Outcome
from continuo.patterns import Guard

WRONG = {
    "secrets": "holds secrets that were not in the request",
    "personal": "holds personal data that was not in the request",
    "system_prompt": "repeats its instructions",
    "blocked": "holds words that are not allowed",
    "links": "links to addresses that are not allowed",
}
"""Why an answer does not pass, as the end of "the answer …": nothing of what it says."""


class Wrong(Data):
    """A check that an answer did not pass, why, and how often by kind where that can be counted."""

    check: str
    why: str
    findings: dict[str, int] = {}


class Checked(Data):
    """`redacted` is the outcome without what is wrong, and without its account, where that was wanted."""

    wrong: tuple[Wrong, ...] = ()
    redacted: Outcome | None = None


def checked(guard: Guard, sensitive: Mapping[str, Recogniser], job: Job, outcome: Outcome, *, redact: bool) -> Checked:
    """What is wrong with the outcome of the step that is guarded; of the job's request all turns are loaded."""
    # What was streamed is what is had.
    blot_out = blotted_once if job.stream and guard.streamed else blotted
    checks = guard.checks
    known = known_in(job, sensitive)
    by_check = locating(checks, sensitive, known, instructions=instructions(job), request=said(job))
    recognise, findings, masked = together(by_check), Counter[str](), dict[str, str]()

    def blot(text: str) -> str:
        if text not in masked:
            # An answer stands in several places of an outcome, and counts once.
            masked[text], seen = blot_out(text, recognise)
            findings.update(seen)
        return masked[text]

    other = changed(outcome, blot)
    wrong = _by_check(findings)
    if outcome.embedding is None and (outcome.text or not (outcome.message and outcome.message.tool_calls)):
        wrong += [Wrong(check=check, why=why) for check, why in mistakes(checks, outcome.text)]
    redacted = other.replaced(calls=(), checkpoints=()) if findings and redact else None
    return Checked(wrong=tuple(wrong), redacted=redacted)


def _by_check(findings: Counter[str]) -> list[Wrong]:
    by_check: dict[str, dict[str, int]] = {}
    for name, times in findings.items():
        check, _, kind = name.partition(":")
        by_check.setdefault(check, {})[kind] = times
    return [Wrong(check=check, why=_why(check, kinds), findings=kinds) for check, kinds in by_check.items()]


def _why(check: str, kinds: dict[str, int]) -> str:
    # What kind of link or word it is says nothing.
    return f"{WRONG[check]} ({', '.join(sorted(kinds))})" if check in ("secrets", "personal") else WRONG[check]
