"""What is looked after, from when on it is an alert, and who is told: `alerts.toml`."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from continuo.config.events import SubscriberName
from continuo.config.toml_file import checked, read_toml
from continuo.data import Data, Int, Number, Seconds

Measure = Literal[
    "cost_today_usd", "cache_hit_rate", "error_rate", "budgets_exceeded", "breakers_open", "queue_age_s",
    "reviews_overdue", "dead_letters", "days_to_retirement",
]  # fmt: skip
"""What is measured: `budgets_exceeded` by tenant, `breakers_open` by provider, `queue_age_s` by queue,
`days_to_retirement` by model that a pattern asks, the others of all together. The rates are those of a rule's
`window`."""

MEASURES: tuple[Measure, ...] = get_args(Measure)
RATES = ("cache_hit_rate", "error_rate")

Severity = Literal["critical", "error", "warning", "info"]
"""As PagerDuty calls them."""


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        raise ValueError(f"{name[:50]!r} is no variable; write the name of one of the environment, such as SLACK_URL")
    return name


def _host(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text[:80]!r} is no server; write host and port, such as smtp.example.com:587")
    return text


def _mailbox(text: str) -> str:
    if not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", text):
        raise ValueError(f"{text[:80]!r} is no address of e-mail; write one such as ops@example.com")
    return text


Variable = Annotated[str, AfterValidator(_variable)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


class Rule(Data):
    """An alert fires while the `measure` is `above` or `below` a limit, for each tenant, provider or queue that has it.

    A rate is that of the last `window` (seconds), and no alert where fewer than `least` runs ended in it.
    """

    measure: Measure
    above: Number | None = None
    below: Number | None = None
    window: Seconds = 3600.0
    least: Int = Field(default=20, ge=1)
    severity: Severity = "error"

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("write one of `above` and `below`")
        for name in ("window", "least"):
            if name in self.model_fields_set and self.measure not in RATES:
                raise ValueError(f"{name}: it is that of a rate; leave it out")
        return self

    @property
    def limit(self) -> float:
        limit = self.below if self.above is None else self.above
        assert limit is not None
        return limit

    def holds(self, value: float) -> bool:
        """Whether it is an alert."""
        return value < self.limit if self.above is None else value > self.limit


class _Channel(Data):
    """`rules` are those whose alerts it is told of, by default all."""

    rules: tuple[SubscriberName, ...] = ()


class Webhook(_Channel):
    """Events of the bus, in CloudEvents' shape, signed as webhooks are."""

    kind: Literal["webhook"]
    url: str


class Slack(_Channel):
    """A message to a webhook of Slack's shape; the address is a secret, and so in the variable `url_env`."""

    kind: Literal["slack"]
    url_env: Variable


class PagerDuty(_Channel):
    """An event of PagerDuty's Events API v2, with the routing key in the variable `key_env`."""

    kind: Literal["pagerduty"]
    key_env: Variable
    url: str = "https://events.pagerduty.com/v2/enqueue"


class Email(_Channel):
    """A message by SMTP through `server`, with user and password in the variables that are named, if it wants them."""

    kind: Literal["email"]
    server: Annotated[str, AfterValidator(_host)]
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Mailbox = Field(alias="from")
    to: Annotated[tuple[Mailbox, ...], Field(min_length=1, max_length=50)]
    user_env: Variable | None = None
    password_env: Variable | None = None

    @model_validator(mode="after")
    def _has_both(self) -> Self:
        if (self.user_env is None) != (self.password_env is None):
            raise ValueError("write both `user_env` and `password_env`, or neither")
        if self.password_env is not None and self.security == "none":
            raise ValueError('security: a password would be sent in clear text; write "starttls" or "tls"')
        return self


Channel = Annotated[Webhook | Slack | PagerDuty | Email, Field(discriminator="kind")]


class Alerts(Data):
    """`rules` and `channels` by their names."""

    rules: dict[SubscriberName, Rule] = Field(default={}, max_length=200)
    channels: dict[SubscriberName, Channel] = Field(default={}, max_length=50)

    @model_validator(mode="after")
    def _rules_are_known(self) -> Self:
        for name, channel in self.channels.items():
            for rule in channel.rules:
                if rule not in self.rules:
                    raise ValueError(f"channels.{name}.rules: there is no rule {rule!r}; add it, or leave it out")
        return self


def load_alerts(path: Path) -> Alerts:
    """Read a file of alerts. Raises `InputError` naming the file and the field."""
    return checked(Alerts, read_toml(path, "alerts"), path)
