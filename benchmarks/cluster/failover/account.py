"""What the loss of a region came to: what was lost, what was paid again, and how long it took."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.cluster.failover.region import Kept


@dataclass(frozen=True)
class Paid:
    """Calls that were asked again: those that were cut off before their answer, those whose answer the lost region had
    not recorded yet, those whose record had not reached the other one, and those whose record had."""

    cut_off: int = 0
    unrecorded: int = 0
    unreplicated: int = 0
    replicated: int = 0


def paid(calls: Iterable[Mapping[str, Any]], lost: Kept, kept: Kept) -> Paid:
    """`calls` are the simulator's, of which no two ask the same, `lost` is what the one region had and `kept` what the
    other one had of it."""
    asked = defaultdict[str, list[Mapping[str, Any]]](list)
    for call in sorted(calls, key=lambda call: call["time"]):
        asked[json.dumps(call["body"], sort_keys=True)].append(call)
    again = [call for same in asked.values() for call in same[:-1]]
    answered = [call["idempotency_key"] for call in again if call["answered"]]
    return Paid(
        cut_off=len(again) - len(answered),
        unrecorded=sum(id not in lost.answers for id in answered),
        unreplicated=sum(id in lost.answers and id not in kept.answers for id in answered),
        replicated=sum(id in kept.answers for id in answered),
    )


def behind(lost: Kept, kept: Kept, killed: float) -> float:
    """Seconds before the loss since which something is missing; 0 where nothing is."""
    missing = [time for id, time in lost.answers.items() if id not in kept.answers]
    missing += [time for id, time in lost.requests.items() if id not in kept.requests]
    return max((killed - time for time in missing), default=0.0)
