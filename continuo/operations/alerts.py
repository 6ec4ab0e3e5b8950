"""What is said of an alert, in the shape of each channel, and what Temporal knows its evaluation by."""

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from pydantic import JsonValue

from continuo.config.alerts import Measure, Rule, Severity
from continuo.data import Data
from continuo.decisions.alerts import Change
from continuo.jobs import Priority
from continuo.operations.events import Event

TYPE = "Alerts"
"""The workflow type."""

SCHEDULE = "alerts"
"""The id of the schedule, with which begin the ids of all that it starts."""

QUEUE: Priority = "standard"

WORDS: Mapping[Measure, str] = {
    "cost_today_usd": "the day's cost",
    "cache_hit_rate": "the cache's hit rate",
    "error_rate": "the error rate",
    "budgets_exceeded": "spent budgets",
    "breakers_open": "open breakers",
    "queue_age_s": "the age of the queue",
    "reviews_overdue": "overdue reviews",
    "dead_letters": "dead letters",
    "days_to_retirement": "the days to the retirement",
}


class Evaluated(Data):
    """What an evaluation came to: how many alerts fire, which have changed, and which rules could not be measured."""

    firing: int
    fired: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()


class AlertRow(Data):
    """A rule and how it stands for a `label`; one that never fired has neither `since` nor `value`."""

    rule: str
    label: str
    firing: bool
    measure: Measure | None
    limit: str
    severity: Severity | None
    incident: int = 0
    since: datetime | None = None
    value: float | None = None


class AlertRows(Data):
    rows: tuple[AlertRow, ...]


def title(rule: str, label: str) -> str:
    return f"{rule} of {label}" if label else rule


def shown(measure: Measure, value: float) -> str:
    """A value as people read it."""
    if measure == "cost_today_usd":
        return f"${value:,.2f}"
    if measure.endswith("_rate"):
        return f"{value:.1%}"
    return f"{value:,.0f} s" if measure.endswith("_s") else f"{value:,.0f}"


def limit_of(rule: Rule) -> str:
    return f"{'below' if rule.above is None else 'above'} {shown(rule.measure, rule.limit)}"


def of_change(change: Change, rule: Rule | None) -> Event:
    """The event; without a `rule` it was taken out."""
    alert, tenant = change.alert, None
    name, data = title(alert.rule, alert.label), dict[str, JsonValue]()
    if rule is None:
        summary, severity = f"{name}: the rule was taken out", "info"
    else:
        state = "is" if change.why == "fired" else "is no longer"
        of = f" of {alert.label}" if alert.label else ""
        value = shown(rule.measure, alert.value)
        summary = f"{alert.rule}: {WORDS[rule.measure]}{of} {state} {limit_of(rule)}; now it is {value}"
        severity, tenant = rule.severity, alert.label if rule.measure == "budgets_exceeded" else None
        data = {"measure": rule.measure, "limit": rule.limit, "value": alert.value}
    return Event(
        id=f"alert/{alert.rule}/{alert.label}/{alert.incident}/{change.why}",
        type="alert.fired" if change.why == "fired" else "alert.recovered",
        subject=f"alert/{alert.rule}/{alert.label}" if alert.label else f"alert/{alert.rule}",
        time=alert.since,
        tenant=tenant,
        data={
            "rule": alert.rule, "label": alert.label, "incident": alert.incident, "severity": severity,
            "summary": summary, **data,
        },
    )  # fmt: skip


def for_slack(event: Event) -> dict[str, JsonValue]:
    """A message of an incoming webhook."""
    mark = ":rotating_light: *fired*" if event.type == "alert.fired" else ":white_check_mark: *recovered*"
    # These three are the characters that Slack reads as its own.
    text = str(event.data["summary"]).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": f"{mark} ({event.data['severity']}) {text}"}


def for_pagerduty(event: Event, key: str, source: str) -> dict[str, JsonValue]:
    """An event of the Events API v2: the recovery resolves what the alert has triggered."""
    head: dict[str, JsonValue] = {"routing_key": key, "dedup_key": dedup_key(event)}
    if event.type == "alert.recovered":
        return {**head, "event_action": "resolve"}
    payload: dict[str, JsonValue] = {
        "summary": str(event.data["summary"])[:1024],
        "source": source,
        "severity": event.data["severity"],
        "timestamp": event.time.isoformat(),
        "component": str(event.data["label"]) or "continuo",
        "class": event.data["rule"],
        "custom_details": event.data,
    }
    return {**head, "event_action": "trigger", "client": "Continuo", "payload": payload}


def dedup_key(event: Event) -> str:
    """The incident's key, the same for its alert and its recovery, in at most PagerDuty's 255 characters."""
    incident = event.id.rpartition("/")[0]
    return f"continuo/{incident}" if len(incident) < 200 else f"continuo/{sha256(incident.encode()).hexdigest()}"


def for_email(event: Event, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """A message in plain text. The recovery refers to the alert, so that both are in one conversation."""
    message, what = EmailMessage(), event.type.partition(".")[2]
    message["Subject"] = f"[Continuo] {what}: {title(str(event.data['rule']), str(event.data['label']))}"
    message["From"], message["To"] = sender, ", ".join(to)
    message["Date"] = format_datetime(event.time)
    message["Auto-Submitted"] = "auto-generated"
    thread = f"<{sha256(dedup_key(event).encode()).hexdigest()[:32]}.fired@continuo>"
    message["Message-ID"] = thread.replace("fired", what)
    if what == "recovered":
        message["In-Reply-To"] = message["References"] = thread
    message.set_content(f"{event.data['summary']}\n\nSeverity: {event.data['severity']}\nSee: continuo alerts\n")
    return message
