"""From the answers of several members to one: pure functions, one for each way to combine."""

import json
import re
from collections.abc import Sequence
from statistics import fmean

from continuo.confidence import UNKNOWN
from continuo.data import Data
from continuo.jobs import Consensus


class Vote(Data):
    """What a member answered, how sure it is (0..1, None where unknown) and how much its vote weighs."""

    member: str
    text: str
    confidence: float | None = None
    weight: float = 1.0

    @property
    def sure(self) -> float:
        return UNKNOWN if self.confidence is None else self.confidence


class Decision(Data):
    """The answer. `winner` is the member whose answer it is, None when no member gave it in these words."""

    text: str
    consensus: Consensus
    confidence: float | None
    winner: str | None


def label(text: str, field: str | None) -> str:
    """What two answers are compared by: without regard to case and white space.

    With a `field`, that field of an answer in JSON; an answer without it is compared as a whole.
    """
    return " ".join(_value(text, field).casefold().split())


def unanimous_or_weighted(votes: Sequence[Vote], field: str | None) -> Decision:
    """All equal: `unanimous`, with the mean confidence; else the answer of the most confident member, `weighted`."""
    if len({label(vote.text, field) for vote in votes}) == 1:
        return _decided(votes, "unanimous")
    return _decided([max(votes, key=lambda vote: vote.sure)], "weighted")


def majority(votes: Sequence[Vote], quorum: int, field: str | None) -> Decision | None:
    """The answer that `quorum` members give, or None. Of several, the one with the most votes."""
    found = max(_by_label(votes, field).values(), key=len, default=[])
    return _decided(found, "majority") if len(found) >= quorum else None


def undecidable(votes: Sequence[Vote], quorum: int, waiting: int, field: str | None) -> bool:
    """Whether no answer can reach the quorum any more, even if all `waiting` members agree."""
    most = max((len(votes) for votes in _by_label(votes, field).values()), default=0)
    return most + waiting < quorum


def weighted_vote(votes: Sequence[Vote], field: str | None) -> Decision:
    """The answer with the greatest sum of weight times confidence."""
    groups = _by_label(votes, field).values()
    return _decided(max(groups, key=lambda group: sum(vote.weight * vote.sure for vote in group)), "weighted")


def average(votes: Sequence[Vote], field: str | None) -> Decision | None:
    """The mean of the first number in each answer, or None where there is no number at all."""
    found = [(number, vote) for vote in votes if (number := _number(vote.text, field)) is not None]
    if not found:
        return None
    mean = fmean(number for number, _ in found)
    return Decision(
        text=f"{mean:.10g}",
        consensus="average",
        confidence=_mean([vote for _, vote in found]),
        winner=None,
    )


def _decided(agreeing: Sequence[Vote], consensus: Consensus) -> Decision:
    """The most confident of those who agree speaks for them; the earlier one of two who are equally sure."""
    winner = max(agreeing, key=lambda vote: vote.sure)
    return Decision(text=winner.text, consensus=consensus, confidence=_mean(agreeing), winner=winner.member)


def _mean(votes: Sequence[Vote]) -> float | None:
    known = [vote.confidence for vote in votes if vote.confidence is not None]
    return fmean(known) if known else None


def _by_label(votes: Sequence[Vote], field: str | None) -> dict[str, list[Vote]]:
    found: dict[str, list[Vote]] = {}
    for vote in votes:
        found.setdefault(label(vote.text, field), []).append(vote)
    return found


def _number(text: str, field: str | None) -> float | None:
    match = re.search(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", _value(text, field))
    return float(match[0]) if match else None


def _value(text: str, field: str | None) -> str:
    if field is None:
        return text
    try:
        found = json.loads(text)[field]
    except (ValueError, LookupError, TypeError):
        return text
    return found if isinstance(found, str) else json.dumps(found)
