"""What is claimed, what was measured, and under which conditions."""

from collections.abc import Iterable
from typing import NamedTuple


class Claim(NamedTuple):
    claim: str
    measured: str
    conditions: str


def markdown(claims: Iterable[Claim]) -> str:
    """A table of them, for a page of the documentation."""
    rows = ["| claim | measured | conditions |", "|---|---|---|"]
    return "\n".join([*rows, *(f"| {' | '.join(claim)} |" for claim in claims)])
