"""What is claimed, what was measured, and under which conditions."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Claim(NamedTuple):
    claim: str
    measured: str
    conditions: str


def markdown(claims: Iterable[Claim]) -> str:
    """A table of them, for a page of the documentation."""
    rows = ["| claim | measured | conditions |", "|---|---|---|"]
    return "\n".join([*rows, *(f"| {' | '.join(claim)} |" for claim in claims)])


def written(page: Path, part: str, claims: Iterable[Claim]) -> None:
    """Put a table of claims into its part of the page."""
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    page.write_text(pattern.sub(lambda match: f"{match[1]}{markdown(claims)}\n{match[2]}", text), encoding="utf-8")
