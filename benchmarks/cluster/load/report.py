"""Tables of what was seen."""

import statistics
from collections.abc import Mapping, Sequence

from rich.table import Table

from benchmarks.cluster.load.account import Account
from benchmarks.cluster.load.driver import Sample
from benchmarks.cluster.load.usage import Usage
from benchmarks.cluster.load.workload import KINDS


def latencies(quiet: Sequence[Sample], faults: Sequence[Sample]) -> Table:
    """By kind and of all: how many were sent, answered and lost, and how long they took, quiet and with faults."""
    table = Table("request", "sent", "answered", "lost", "p50 quiet", "p95", "p50 with faults", "p95", "p95 / quiet")
    for name, kinds in {**{kind: {kind} for kind in KINDS}, "all": {*KINDS}}.items():
        before, during = ([one for one in samples if one.kind in kinds] for samples in (quiet, faults))
        lost = sum(one.lost is not None for one in before + during)
        sent = len(before) + len(during)
        counts = (f"{sent}", f"{sent - lost}", f"{lost}")
        figures = [*_percentiles(before), *_percentiles(during)]
        ratio = figures[3] / figures[1]
        table.add_row(name, *counts, *(f"{seconds:.2f} s" for seconds in figures), f"{ratio:.2f}")
    return table


def recoveries(faults: Sequence[Sample], kills: Mapping[str, float], interval: float) -> Table:
    """Of the requests that were due in the `interval` seconds after each kill: how long they took."""
    table = Table("killed", "requests in the next", "p50", "p95", "longest", title=f"{interval:.0f} s each")
    for name, killed in kills.items():
        after = [one for one in faults if killed <= one.due < killed + interval]
        longest = max((one.seconds for one in after), default=float("nan"))
        table.add_row(name, f"{len(after)}", *(f"{seconds:.2f} s" for seconds in (*_percentiles(after), longest)))
    return table


def processors(idle: Usage, busy: Usage, quiet: Sequence[Sample]) -> Table:
    """The processor time of each kind of process while nothing is asked, and what a request and a run add to it."""
    runs = sum(KINDS[one.kind].runs for one in quiet)
    title = f"{len(quiet)} requests, {runs} runs in {busy.seconds:.0f} quiet seconds"
    table = Table("process", "idle, ms a second", "busy, ms a second", "ms a request", "ms a run", title=title)
    shares = {name: (idle.shares[name], busy.shares[name]) for name in busy.shares}
    shares["all"] = (sum(idle.shares.values()), sum(busy.shares.values()))
    for name, (before, during) in shares.items():
        added = (during - before) * busy.seconds
        each = (before, during, added / len(quiet), added / runs)
        table.add_row(name, *(f"{1000 * seconds:.1f}" for seconds in each))
    return table


def paid(account: Account) -> Table:
    table = Table("calls", "")
    table.add_row("answered by the provider", f"{account.answered}")
    table.add_row("answered twice: in flight when a pool was killed", f"{account.in_flight}")
    table.add_row("answered twice otherwise", f"{len(account.twice)}")
    table.add_row("answered and not in the ledger", f"{len(account.unbooked)}")
    table.add_row("in the ledger and not answered", f"{len(account.unasked)}")
    return table


def _percentiles(samples: Sequence[Sample]) -> tuple[float, float]:
    if len(samples) < 2:
        return float("nan"), float("nan")
    cuts = statistics.quantiles([one.seconds for one in samples], n=20, method="inclusive")
    return cuts[9], cuts[18]
