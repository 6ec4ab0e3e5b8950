"""`continuo ab`: the variants of a split compared on what became of their runs."""

import asyncio
from math import sqrt
from typing import Annotated

from cyclopts import App, Parameter

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.errors import InputError
from continuo.evaluation.planning import POWER, size_for_rates
from continuo.evaluation.sequential import size_for_looks
from continuo.evaluation.variants import EFFECT, Arms, compared
from continuo.operations.runs import RunQuery
from continuo.patterns import Split
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.money import money
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened
from continuo.stores.variants import live_runs

ab = App(name="ab", help="Compare the variants of a split on what became of their runs, and plan such a comparison.")


@ab.command
async def show(
    pattern: str,
    *,
    since: str | None = None,
    effect: float = EFFECT,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Compare the variants and shadows of a split, and say whether the better one is known.

    One may look as often as one likes, and stop when it says so.

    Parameters
    ----------
    pattern
        Its name.
    since
        Only runs that began at most this long ago, such as 7d, or on this day or later, such as 2026-11-21 (UTC).
    effect
        The least difference of quality, from 0 to 1, that matters.
    json
        Print it as JSON.
    """
    _check(effect)
    split = await asyncio.to_thread(Library().step, pattern)
    if not isinstance(split, Split):
        raise InputError(f"pattern: {pattern[:80]!r} is a {split.kind}; name one of the kind split")
    query = validated(RunQuery, pattern=pattern, since=since)
    async with opened() as database:
        runs = await live_runs(database, pattern, query.since)
    weights = {name: variant.weight for name, variant in split.variants.items()}
    arms = compared(pattern, weights, split.shadow, runs, effect)
    if json:
        out.out(arms.model_dump_json(indent=2))
        return 0
    out.print(_table(arms))
    if not any(arm.quality for arm in arms.arms):
        err.print("nobody has rated these runs yet; see `continuo rate`, and POST /v1/feedback of the gateway")
    return 0


@ab.command
def plan(*, baseline: float, effect: float = EFFECT, power: float = POWER) -> int:
    """Tell how many ratings of each of two variants it takes to tell them apart.

    Parameters
    ----------
    baseline
        The mean quality of the first one, from 0 to 1: the share of its thumbs that are up, say.
    effect
        The least difference that matters.
    power
        How often one of this size is to be seen.
    """
    _check(effect)
    if not 0 < power < 1:
        raise InputError(f"--power: {power:g} is no share of all tests; give one such as 0.8")
    once = size_for_rates(baseline, effect, power=power)
    between = baseline + effect / 2
    looks = size_for_looks(sqrt(between * (1 - between)), effect, power=power)
    out.print(f"to see a difference of {effect:g} from {baseline:g} in {power:.0%} of all tests, of each variant")
    out.print(f"{once:,} ratings, looked at once, at the end, or")
    out.print(f"{looks:,} ratings, looked at again and again by `continuo ab show`, which may stop long before")
    return 0


def _check(effect: float) -> None:
    if not 0 < effect < 1:
        raise InputError(f"--effect: {effect:g} is no difference of two qualities from 0 to 1; give one such as 0.05")


def _table(arms: Arms) -> FittedTable:
    table = FittedTable(
        Column("variant"),
        Column("share", rank=6, number=True),
        Column("runs", number=True),
        Column("failed", rank=4, number=True),
        Column("cost", rank=2, number=True),
        Column("median", rank=3, number=True),
        Column("p95", rank=5, number=True),
        Column("rated", rank=1, number=True),
        Column("quality", number=True),
        Column("verdict"),
        note=f"quality is from 0 to 1, with what it lies between (95 %); a difference below {arms.effect:g} is none",
    )
    for arm in arms.arms:
        table.add_row(
            f"{arm.variant} (shadow)" if arm.shadow else arm.variant,
            "-" if arm.weight is None else f"{arm.weight:.0%}",
            f"{arm.runs:,}",
            "-" if arm.errors is None else f"{arm.errors.mean:.1%}",
            "-" if arm.cost_usd is None else money(arm.cost_usd),
            _seconds(arm.latency_ms),
            _seconds(arm.latency_p95_ms),
            f"{arm.quality.count:,}" if arm.quality else "0",
            str(arm.quality or "-"),
            arm.verdict,
        )
    return table


def _seconds(latency_ms: float | None) -> str:
    return "-" if latency_ms is None else f"{latency_ms / 1000:.2f} s"
