"""What Temporal's UI shows at the top of a run that has ended."""

from continuo.jobs import Account, Failure, Outcome, total_cost
from continuo.messages import Usage

SHOWN = 20
"""Reasons at most."""


def of_outcome(outcome: Outcome) -> str:
    """In Markdown: who answered, what that cost, and why others did not."""
    decided = {"tier": outcome.tier, "branch": outcome.branch, "variant": outcome.variant}
    words = [f"Answered by `{outcome.model or outcome.served_by}`"]
    words += [f"from the {outcome.served_by}"] if outcome.model and outcome.served_by != "model" else []
    words += [f"{name} {value}" for name, value in decided.items() if value is not None]
    return "\n\n".join([", ".join([*words, _spent(outcome)]), *_reasons("Gave way", outcome.reasons)])


def of_failure(failure: Failure) -> str:
    """In Markdown: what failed, what it cost, and why."""
    return "\n\n".join([f"Failed: {failure.cause[:1000]}", _spent(failure), *_reasons("Tried", failure.causes)])


def _spent(account: Account) -> str:
    usage, cost = sum((call.usage for call in account.calls), Usage()), total_cost(account.calls)
    price = "cost unknown" if cost is None else f"${cost:.6f}"
    return f"{usage.input_tokens}/{usage.output_tokens} tokens, {price}"


def _reasons(title: str, reasons: tuple[str, ...]) -> list[str]:
    lines = [f"- {' '.join(reason.split())[:300]}" for reason in reasons[:SHOWN]]
    more = [f"- and {len(reasons) - SHOWN} more"] if len(reasons) > SHOWN else []
    return ["\n".join([f"{title}:", "", *lines, *more])] if lines else []
