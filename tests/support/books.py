"""Journal, ledger and accounts after trouble, held against what the upstream itself has counted."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from continuo.jobs import Failure, Outcome
from continuo.money import NANO
from continuo.stores.database import Database, Row
from continuo.testing.processes import Control, until

Calls = Sequence[dict[str, Any]]
"""What the upstream was asked, oldest first."""

COMPLAINTS = re.compile(r"never retrieved|never awaited|an unexpected error|Traceback|cannot be recorded\"")


@dataclass(frozen=True)
class Books:
    journal: set[str]
    ledger: list[Row]
    accounts: int
    """Nano-dollars that tenants have spent, as their budgets have it."""
    reserved: int
    """Attempts for which money is still set aside."""

    def check(self, found: Iterable[Outcome | Failure]) -> None:
        """What runs tell, the ledger holds and budgets count is the same; one row an answer."""
        check_told(found, self.ledger)
        assert self.accounts == sum(row["cost_nanousd"] for row in self.ledger)
        assert self.reserved == 0
        assert sorted(row["identity"] for row in self.ledger if "#" not in row["identity"]) == sorted(self.journal)


def check_told(found: Iterable[Outcome | Failure], ledger: Iterable[Row]) -> None:
    """Each call is told at what its rows of the ledger come to, to the nano-dollar."""
    booked: dict[str, tuple[str, int]] = {}
    for row in ledger:
        call = row["identity"].split("#")[0]
        booked[call] = row["path"], booked.get(call, ("", 0))[1] + row["cost_nanousd"]
    told = Counter((call.path, round((call.cost_usd or 0) * NANO)) for one in found for call in one.calls)
    told.subtract(booked.values())
    wrong = {call: count for call, count in told.items() if count and call[1]}
    assert not wrong, f"path and cost, and how much more often they are told than booked: {wrong}"


async def books(database: Database) -> Books:
    return Books(
        journal={row["identity"] for row in await database.read("SELECT identity FROM journal")},
        ledger=await database.read("SELECT * FROM ledger"),
        accounts=sum(row["spent_nanousd"] for row in await database.read("SELECT spent_nanousd FROM accounts")),
        reserved=len(await database.read("SELECT identity FROM reservations")),
    )


async def settled(upstream: Control) -> int:
    """How many requests there have been, once it has read all that the dead have sent."""
    count = -1

    async def same() -> bool:
        nonlocal count
        before, count = count, len(await upstream.calls())
        return before == count

    await until(same, every=0.3)
    return count


def in_flight(calls: Calls, kills: Sequence[int], *, attempts: int, ends: str) -> int:
    """How many requests were in flight at a kill and had to be repeated; all other requests are answers, and failures
    that the policy of `attempts` tries again. More than that fails.

    `kills` are how many requests there had been when all workers were dead; a call ends with one that has `ends`.
    """
    by_call = defaultdict(list)
    for number, call in enumerate(calls):
        by_call[call["idempotency_key"]].append((number, call))
    repeated = 0
    for requests in by_call.values():
        kept = [call for _, call in requests]
        for (number, call), (after, _) in pairwise(requests):
            if any(number < kill <= after for kill in kills):
                kept.remove(call)
                repeated += 1
        assert not any(call[ends] for call in kept[:-1]), f"asked again after its end: {requests}, kills {kills}"
        assert len(kept) <= attempts, f"asked more often than its policy says: {requests}, kills {kills}"
    return repeated


def complaints(folder: Path) -> list[str]:
    """The lines of the pools' logs that no run of ours should leave."""
    lines = [line for path in folder.glob("pool-*.log") for line in path.read_text(errors="replace").splitlines()]
    return [line[:2000] for line in lines if COMPLAINTS.search(line)]
