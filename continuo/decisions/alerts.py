"""Which alerts fire and which recover, as a pure function of what was measured."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from continuo.config.alerts import RATES, Rule
from continuo.data import Data


class Sample(NamedTuple):
    """What was measured: a `value`, and of how many `runs` where that is a rate."""

    value: float
    runs: int = 0


Measured = Mapping[str, Sample]
"""By the tenant, provider, queue or model; the one sample of all together has no name."""


class Alert(Data):
    """How a rule stands for a tenant, provider or queue (`label`, empty for all together) that has fired at least once.

    `incident` counts how often, and `since` is when it became what it is. `value` is the last one.
    """

    rule: str
    label: str
    firing: bool
    incident: int
    since: datetime
    value: float


class Change(NamedTuple):
    """An alert that has just fired or recovered."""

    alert: Alert
    why: Literal["fired", "recovered"]


def evaluated(
    rules: Mapping[str, Rule],
    measured: Mapping[str, Measured | None],
    before: Mapping[tuple[str, str], Alert],
    now: datetime,
) -> Iterator[tuple[Alert, Change | None]]:
    """How each alert stands `now`, given how it stood `before`, with the change if there is one.

    `measured` is by rule; where it is None, that could not be measured, and all stays as it is. What is no more
    measured recovers, such as the budget of a new day, and so does an alert whose rule was taken out.
    """
    for name, rule in rules.items():
        samples = measured.get(name)
        if samples is None:
            continue
        for label in sorted({*samples, *(label for known, label in before if known == name)}):
            yield from _stands(name, label, rule, samples.get(label), before.get((name, label)), now)
    for (name, _), alert in before.items():
        if name not in rules and alert.firing:
            yield _changed(alert, firing=False, value=alert.value, now=now)


def _stands(
    name: str, label: str, rule: Rule, sample: Sample | None, alert: Alert | None, now: datetime
) -> Iterator[tuple[Alert, Change | None]]:
    firing = sample is not None and _fires(rule, sample)
    value = 0.0 if sample is None else sample.value
    if alert is None:
        if firing:
            none = Alert(rule=name, label=label, firing=False, incident=0, since=now, value=value)
            yield _changed(none, firing=True, value=value, now=now)
    elif firing != alert.firing:
        yield _changed(alert, firing=firing, value=value, now=now)
    else:
        yield alert.model_copy(update={"value": value}), None


def _fires(rule: Rule, sample: Sample) -> bool:
    return rule.holds(sample.value) and (rule.measure not in RATES or sample.runs >= rule.least)


def _changed(alert: Alert, *, firing: bool, value: float, now: datetime) -> tuple[Alert, Change]:
    update = {"firing": firing, "value": value, "since": now, "incident": alert.incident + firing}
    alert = alert.model_copy(update=update)
    return alert, Change(alert, "fired" if firing else "recovered")
