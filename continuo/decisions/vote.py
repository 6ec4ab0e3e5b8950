"""What the votes of an ensemble's members come to. A vote without a confidence counts as half sure; of two that weigh
the same, the earlier one wins."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import fsum, isfinite, nan
from statistics import mean

from continuo.data import Data
from continuo.decisions.classify import normalised
from continuo.decisions.confidence import UNKNOWN, json_object
from continuo.jobs import Consensus


class Vote(Data):
    """What a member answered, how sure it is (0..1), and how much it counts."""

    member: str
    text: str
    confidence: float | None = None
    weight: float = 1.0


class Decision(Data):
    """The answer, how it came about, and whose it is: None when no member wrote it.

    `confidence` is the mean of those who agree, None if none of them says how sure it is.
    """

    text: str
    consensus: Consensus
    confidence: float | None
    winner: str | None


# A sign belongs to a number only where no word or number goes before it: "-4", but not "GPT-4" or "v1.2".
# A comma stands between thousands, a point before decimals.
_NUMBER = re.compile(
    r"(?<![\w.,-])[-+]?(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE
)


def label(text: str, field: str | None) -> str:
    """What votes are compared by: the text, or that field of it where it is JSON that has one, without regard to case
    and white space."""
    said = _said(text, field)
    return normalised(text if said is None else said)


def unanimous_or_weighted(votes: Sequence[Vote], field: str | None) -> Decision:
    """What all say, or else what the most confident one says. Needs a vote."""
    if len(_by_label(votes, field)) == 1:
        return _agreed(votes, "unanimous")
    return _agreed([max(votes, key=_sure)], "weighted")


def majority(votes: Sequence[Vote], quorum: int, field: str | None) -> Decision | None:
    """The first label that `quorum` of them give, in the words of the most confident of these."""
    seen: Counter[str] = Counter()
    for vote in votes:
        name = label(vote.text, field)
        seen[name] += 1
        if seen[name] >= quorum:
            return _agreed(_by_label(votes, field)[name], "majority")
    return None


def undecidable(votes: Sequence[Vote], quorum: int, waiting: int, field: str | None) -> bool:
    """Whether the quorum stays out of reach even if all `waiting` members agree."""
    most = max(map(len, _by_label(votes, field).values()), default=0)
    return most + waiting < quorum


def weighted_vote(votes: Sequence[Vote], field: str | None) -> Decision:
    """The label with the greatest sum of weight times confidence, in the words of its most confident vote."""
    sides = _by_label(votes, field).values()
    return _agreed(max(sides, key=_weight), "weighted")


def average(votes: Sequence[Vote], field: str | None) -> Decision | None:
    """The mean of the members' numbers, or None when there is none; who gives no number does not count.

    A member's number is the first that it names: 42 in "about 42 %", 1200 in "$1,200.00".
    """
    numbers = [(value, vote) for vote in votes if (value := number(vote.text, field)) is not None]
    if not numbers:
        return None
    # The mean of floats is exact until it is rounded once, so it lies between the least and the greatest.
    text = f"{mean(value for value, _ in numbers):.15g}"
    return Decision(text=text, consensus="average", confidence=_confidence([vote for _, vote in numbers]), winner=None)


def number(text: str, field: str | None) -> float | None:
    """The first number in the text, or in that field of it where it is JSON; None if there is none."""
    value = next(numbers(_said(text, field) or ""), nan)
    return value if isfinite(value) else None


def numbers(text: str) -> Iterator[float]:
    """All that the text names; one that no float can hold is infinite."""
    for match in _NUMBER.finditer(text.replace("\N{MINUS SIGN}", "-")):
        yield float(match[0].replace(",", ""))


def _agreed(votes: Sequence[Vote], consensus: Consensus) -> Decision:
    best = max(votes, key=_sure)
    return Decision(text=best.text, consensus=consensus, confidence=_confidence(votes), winner=best.member)


def _by_label(votes: Sequence[Vote], field: str | None) -> Mapping[str, list[Vote]]:
    by_label: dict[str, list[Vote]] = {}
    for vote in votes:
        by_label.setdefault(label(vote.text, field), []).append(vote)
    return by_label


def _weight(votes: Sequence[Vote]) -> float:
    """Rounded, since as floats .1 and .2 would outweigh .3."""
    return round(fsum(vote.weight * _sure(vote) for vote in votes), 9)


def _sure(vote: Vote) -> float:
    return UNKNOWN if vote.confidence is None else vote.confidence


def _confidence(votes: Sequence[Vote]) -> float | None:
    known = any(vote.confidence is not None for vote in votes)
    return mean(map(_sure, votes)) if known else None


def _said(text: str, field: str | None) -> str | None:
    """The field of a JSON answer as text, None if it lacks it; the whole text if no field is asked for or it is no
    JSON object."""
    fields = json_object(text) if field else None
    if field is None or fields is None:
        return text
    if field not in fields:
        return None
    value = fields[field]
    return value if isinstance(value, str) else json.dumps(value)
