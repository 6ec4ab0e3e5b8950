"""Accounts that do not grow without end with what ran under them: above a few hundred entries they carry sums."""

from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile
from typing import Any, TypeVar

from continuo.jobs import Account, CallRecord, total_cost
from continuo.messages import Usage

KEPT = 300
"""Entries of each list of an account, and calls that are told one by one."""

MAX_CHARACTERS = 2_000_000
"""Characters of the texts of each list of an account, its outputs among them."""

A = TypeVar("A", bound=Account)

_SIZES: Mapping[str, Callable[[Any], int]] = {
    "outputs": lambda output: len(output[0]) + len(output[1]),
    "checkpoints": lambda checkpoint: len(checkpoint.name),
    "alternatives": lambda alternative: len(alternative.text),
    "reasons": len,
    "causes": len,
    "missing": len,
    "guarded": lambda decision: len(decision.stage),
}


def bounded(account: A) -> A:
    """The account with its calls folded, and of each of its lists what fits: of checkpoints the last, else the first.

    `omitted` counts the rest. Outputs are what was paid for, so only their size is limited.
    """
    update: dict[str, object] = {"calls": folded(account.calls)}
    omitted: dict[str, int] = {}
    for name, size in _SIZES.items():
        value: Any = getattr(account, name, ())
        order = -1 if name == "checkpoints" else 1
        entries = list(value.items() if isinstance(value, dict) else value)[::order]
        fitting = _fitting(map(size, entries), len(entries) if name == "outputs" else KEPT)
        if fitting < len(entries):
            update[name] = type(value)(entries[:fitting][::order])
            omitted[name] = len(entries) - fitting
    return account.model_copy(update=update).omitting(**omitted)


def folded(calls: tuple[CallRecord, ...]) -> tuple[CallRecord, ...]:
    """`KEPT` of the calls as they are, failures before others, and the rest in sums; few calls stay as they are.

    Cost and usage of the whole stay the same, to the nano-dollar.
    """
    single = [number for number, call in enumerate(calls) if call.count == 1]
    ranked = sorted(single, key=lambda number: calls[number].status == "ok")
    kept = set(ranked[: _fitting((len(calls[number].error or "") for number in ranked), KEPT)])
    rest = [call for number, call in enumerate(calls) if number not in kept]
    return (*(calls[number] for number in sorted(kept)), *summed(rest))


def summed(calls: Iterable[CallRecord]) -> tuple[CallRecord, ...]:
    """One record for all calls of a model and provider that ended alike, those of unknown price apart."""
    groups: dict[tuple[object, ...], list[CallRecord]] = {}
    for call in calls:
        unpriced = total_cost((call,)) is None
        groups.setdefault((call.model, call.provider, call.status, unpriced), []).append(call)
    return tuple(_sum(group) for group in groups.values())


def _sum(calls: list[CallRecord]) -> CallRecord:
    first = calls[0]
    if len(calls) == 1:
        return first
    attempts = [call.attempts for call in calls if call.attempts is not None]
    parts = zip(*(call.path.split(".") for call in calls), strict=False)
    return CallRecord(
        path=".".join(same[0] for same in takewhile(lambda names: len(set(names)) == 1, parts)),
        model=first.model,
        provider=first.provider,
        status=first.status,
        count=sum(call.count for call in calls),
        attempts=sum(attempts) if attempts else None,
        usage=sum((call.usage for call in calls), Usage()),
        cost_usd=total_cost(tuple(calls)),
    )


def _fitting(sizes: Iterable[int], most: int) -> int:
    """How many from the first on fit into `most` entries and `MAX_CHARACTERS`."""
    fitting = total = 0
    for size in sizes:
        total += size
        if fitting == most or total > MAX_CHARACTERS:
            break
        fitting += 1
    return fitting
