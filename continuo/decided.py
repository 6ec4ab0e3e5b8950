"""What was decided on a request or an answer on its way."""

from collections.abc import Iterable
from typing import Literal

from pydantic import JsonValue

from continuo.data import Data


class Decision(Data):
    """What a stage decided on one request or answer, for the audit: never what it saw, only how often, by kind."""

    stage: str
    action: Literal["passed", "flagged", "redacted", "rejected", "answered", "routed", "retried"]
    findings: dict[str, int] = {}
    rule: str | None = None


def without_passed(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Those that are worth an entry."""
    return tuple(decision for decision in decisions if decision.action != "passed")


def noted(*decisions: Decision) -> tuple[dict[str, JsonValue], ...]:
    """The same as a job holds them until it is a run."""
    return tuple(decision.model_dump(mode="json") for decision in without_passed(decisions))
