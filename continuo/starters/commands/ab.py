"""`continuo ab`: the variants of a split compared on what became of their runs, and the weights of adaptive ones."""

import asyncio
from collections.abc import Iterator
from math import sqrt
from typing import Annotated, Literal

from cyclopts import App, Parameter

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.door.shifting import Shifting
from continuo.errors import InputError
from continuo.evaluation.adaptive import Shift, in_force
from continuo.evaluation.planning import POWER, size_for_rates
from continuo.evaluation.sequential import size_for_looks
from continuo.evaluation.variants import EFFECT, Arms, compared
from continuo.operations.runs import RunQuery
from continuo.patterns import Split
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.money import money
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened
from continuo.stores.shifts import shifts
from continuo.stores.variants import live_runs

ab = App(
    name="ab",
    help="Compare the variants of a split on what became of their runs, plan such a comparison, and shift weights.",
)

Json = Annotated[bool, Parameter(negative=())]

SHIFTS = 5
"""So many of the last entries of the journal are shown."""


class Shown(Arms):
    """With the last entries of the journal of an adaptive split, the newest first."""

    shifts: tuple[Shift, ...] = ()


@ab.command
async def show(
    pattern: str,
    *,
    since: str | None = None,
    effect: float = EFFECT,
    json: Json = False,
) -> int:
    """Compare the variants and shadows of a split, and say whether the better one is known.

    One may look as often as one likes, and stop when it says so. Of an adaptive split the shares are those in force,
    with the last shifts and why.

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
    split = await _split(pattern)
    query = validated(RunQuery, pattern=pattern, since=since)
    async with opened() as database:
        runs = await live_runs(database, pattern, query.since)
        last = await shifts(database, pattern, SHIFTS) if split.adaptive else []
    weights = in_force(split.weights, next(iter(last), None))
    arms = compared(pattern, weights, split.shadow, runs, effect)
    if json:
        out.out(Shown(**dict(arms), shifts=tuple(last)).model_dump_json(indent=2))
        return 0
    out.print(_table(arms))
    for line in _history(last):
        out.print(line)
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


@ab.command
async def shift(pattern: str, *, json: Json = False) -> int:
    """Let the weights of an adaptive split follow now from what became of its runs, as a pool does every minute.

    Parameters
    ----------
    pattern
        Its name.
    json
        Print the entry of the journal as JSON.
    """
    return await _done(pattern, "shift", json=json)


@ab.command
async def hold(pattern: str, *, json: Json = False) -> int:
    """Leave the weights of an adaptive split as they are, until they are released.

    Parameters
    ----------
    pattern
        Its name.
    json
        Print the entry of the journal as JSON.
    """
    return await _done(pattern, "hold", json=json)


@ab.command
async def release(pattern: str, *, json: Json = False) -> int:
    """Let the weights of an adaptive split that is held be shifted again.

    Parameters
    ----------
    pattern
        Its name.
    json
        Print the entry of the journal as JSON.
    """
    return await _done(pattern, "release", json=json)


@ab.command
async def reset(pattern: str, *, json: Json = False) -> int:
    """Go back to the weights of an adaptive split as they are written; what was said before now counts no more.

    Parameters
    ----------
    pattern
        Its name.
    json
        Print the entry of the journal as JSON.
    """
    return await _done(pattern, "reset", json=json)


async def _done(pattern: str, action: Literal["shift", "hold", "release", "reset"], *, json: bool) -> int:
    split = await _split(pattern)
    if split.adaptive is None:
        raise InputError(
            f"pattern: {pattern[:80]!r} has the weights that are written; add `adaptive: {{}}` to its split"
        )
    async with opened() as database:
        result = await getattr(Shifting(database, pattern, split), action)()
    if isinstance(result, str):
        err.print(f"nothing is changed: {result}")
        return 1
    if json:
        out.out(result.model_dump_json(indent=2))
        return 0
    for line in _history([result]):
        out.print(line)
    return 0


async def _split(pattern: str) -> Split:
    split = await asyncio.to_thread(Library().step, pattern)
    if not isinstance(split, Split):
        raise InputError(f"pattern: {pattern[:80]!r} is a {split.kind}; name one of the kind split")
    return split


def _history(entries: list[Shift]) -> Iterator[str]:
    """The newest with why it is so, those before with the shares alone."""
    for number, entry in enumerate(entries):
        total = sum(in_force(entry.written, entry).values())
        shares = ", ".join(f"{name} {weight / total:.0%}" for name, weight in in_force(entry.written, entry).items())
        yield f"{entry.time:%Y-%m-%d %H:%M:%S} UTC, {entry.action}{', held' if entry.held else ''}: {shares}"
        if number == 0:
            yield from (f"  {name}: {share.why}" for name, share in entry.shares.items())


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
