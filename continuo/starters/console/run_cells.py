"""What a list shows of a run, in few words."""

from continuo.operations.runs import RunRow
from continuo.starters.console.money import money


def answered_by(row: RunRow) -> str:
    """The model or whatever else answered; of a failure its type."""
    if row.served_by is None:
        return (row.error or "-").partition(":")[0]
    return row.model if row.served_by == "model" and row.model else row.served_by


def tokens(row: RunRow) -> str:
    """In and out."""
    return "-" if row.input_tokens is None else f"{row.input_tokens}/{row.output_tokens}"


def cost(row: RunRow) -> str:
    return "-" if row.status == "running" else money(row.cost_usd)
