"""A run that is looked at afterwards: its row, its tree, its calls, why steps gave way, and its answers."""

from collections.abc import Iterator, Mapping

from rich.console import Console, RenderableType

from continuo.cut import cut
from continuo.door.inspection import Inspection
from continuo.jobs import CallRecord
from continuo.operations.runs import RunRow
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.money import money
from continuo.starters.console.run_tree import tree
from continuo.starters.console.terminal import levels, wrapped

LENGTH = 400
"""Characters of the answer of one step; that of the run is whole."""


def shown_run(inspection: Inspection, console: Console) -> Iterator[RenderableType]:
    """What is printed of a run, part by part."""
    yield from map(wrapped, _lines(inspection.run))
    for id in inspection.reviews:
        yield wrapped(f"waits for a person: continuo reviews show {id}")
    if inspection.outcome is not None and inspection.outcome.verdict is not None:
        yield wrapped(f"reviewed: {inspection.outcome.verdict.line}")
    if inspection.step is not None and inspection.steps is not None:
        states = {state.path: state for state in inspection.steps}
        yield tree(inspection.step, states, inspection.calls, levels(console))
    if inspection.calls:
        yield _calls(inspection.calls)
    if (
        reasons := inspection.outcome.reasons
        if inspection.outcome
        else inspection.failure.causes
        if inspection.failure
        else ()
    ):
        yield from _section("gave way", dict(enumerate(reasons, 1)))
    if inspection.outcome is not None:
        yield from _section("answers", {name: cut(text, LENGTH) for name, text in inspection.outcome.outputs.items()})
        others = {other.member: cut(other.text, LENGTH) for other in inspection.outcome.alternatives}
        yield from _section("not chosen", others)
        yield from _section("missing", dict(enumerate(inspection.outcome.missing, 1)))
        yield wrapped("answer:")
        yield wrapped(inspection.outcome.text)
    if inspection.failure is not None:
        yield wrapped(f"failed: {inspection.failure.cause}")


def _lines(row: RunRow) -> Iterator[str]:
    yield f"{row.workflow_id} (run {row.run_id})"
    user = f", user {row.user}" if row.user else ""
    yield f"{row.pattern} ({row.kind}) for {row.tenant}{user}"
    took = "" if row.latency_ms is None else f", took {row.latency_ms / 1000:.2f} s"
    yield f"{row.status}, began {row.started:%Y-%m-%d %H:%M:%S} UTC{took}"
    if row.status != "running":
        tokens = "unknown" if row.input_tokens is None else f"{row.input_tokens}/{row.output_tokens}"
        saved = "" if row.saved_usd is None else f", saved {money(row.saved_usd)}"
        yield f"tokens {tokens}, cost {money(row.cost_usd)}{saved}"
    decided = {
        "answered by": row.served_by,
        "model": row.model,
        "tier": row.tier,
        "branch": row.label,
        "variant": row.variant,
        "started by": row.parent,
        "a shadow of": row.shadow_of,
        "job": row.job,
    }
    if words := ", ".join(f"{name} {value}" for name, value in decided.items() if value is not None):
        yield words
    if row.error:
        yield row.error


def _calls(calls: tuple[CallRecord, ...]) -> FittedTable:
    table = FittedTable(
        Column("step"),
        Column("model", rank=1),
        Column("status"),
        Column("attempts", rank=5, number=True),
        Column("tokens", rank=4, number=True),
        Column("cost", number=True),
        Column("latency", rank=3, number=True),
        Column("error", rank=2),
    )
    for call in calls:
        table.add_row(
            (call.path or "-") + (f" ({call.count} calls)" if call.count > 1 else ""),
            call.model,
            call.status,
            "-" if call.attempts is None else str(call.attempts),
            f"{call.usage.input_tokens}/{call.usage.output_tokens}",
            money(call.cost_usd) if call.cost_usd is not None or call.usage.input_tokens else "-",
            "-" if call.latency_ms is None else f"{call.latency_ms / 1000:.2f} s",
            call.error or "",
        )
    return table


def _section(title: str, entries: Mapping[int, str] | Mapping[str, str]) -> Iterator[RenderableType]:
    if entries:
        yield wrapped(f"{title}:")
        yield from (wrapped(f"  {name}: {text}") for name, text in entries.items())
