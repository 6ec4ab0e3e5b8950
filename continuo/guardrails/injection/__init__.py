"""What speaks for an attack on a model in a text, layer by layer, and whether it is enough.

Phrases find what is said openly, in the words of many known attacks; forgeries find text that poses as another role;
links find where answers would be sent. What is hidden or encoded is read as well, and counts for more. None of them
finds what is put in words of its own, and hardly any instruction inside a document: against that an agent's tools have
labels.
"""

from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.injection.encoded import encoded
from continuo.guardrails.injection.exfiltration import exfiltrations
from continuo.guardrails.injection.forgery import forgeries
from continuo.guardrails.injection.hidden import hidden
from continuo.guardrails.injection.mentioned import without_mentions
from continuo.guardrails.injection.phrases import phrases
from continuo.guardrails.injection.signals import Signal, strongest

THRESHOLD = 1.0
"""From this score on a text counts as an attack."""

DEPTH = 2
"""So often is a text inside a text looked into."""

CONCEALED = 1.5
"""What a signal weighs where it is hidden or encoded, beside the same in the open."""


def signals(text: str, depth: int = DEPTH) -> Iterator[Signal]:
    """All that speaks for an attack; what is found in a hidden or encoded text stands in the place of that."""
    yield from phrases(text)
    yield from forgeries(text)
    yield from exfiltrations(text)
    if not depth:
        return
    for inner in (*hidden(text), *encoded(text)):
        if inner.weight:
            yield Signal(inner.kind, inner.name, inner.weight, inner.start, inner.end)
        for one in signals(inner.text, depth - 1):
            name = f"{inner.name}: {one.name}"
            yield Signal(inner.kind, name, round(one.weight * CONCEALED, 3), inner.start, inner.end)


def score(text: str) -> float:
    """From 0 on; 1 is enough for an attack."""
    return _weighed(text)[0]


def attack(text: str, threshold: float = THRESHOLD) -> list[Finding]:
    """What makes a text an attack, in order; nothing where its score is below the threshold."""
    reached, parts = _weighed(text)
    if reached < threshold:
        return []
    findings = {Finding(one.kind, one.start, one.end) for one in parts}
    return sorted(findings, key=lambda one: (one.start, one.end, one.kind))


def _weighed(text: str) -> tuple[float, list[Signal]]:
    every = list(signals(text))
    reached, parts = strongest(every)
    return (reached, parts) if reached < THRESHOLD else strongest(without_mentions(text, every))
