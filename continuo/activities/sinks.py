"""Where events go. Each sink takes one, or raises `NotTaken`."""

import asyncio
import json
import smtplib
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import httpx
from pydantic import JsonValue

from continuo.activities.posting import NotTaken, Posting
from continuo.config import alerts
from continuo.config.events import Subscriber
from continuo.errors import InputError
from continuo.operations.alerts import for_email, for_pagerduty, for_slack
from continuo.operations.events import MEDIA_TYPE, Event

if TYPE_CHECKING:
    # The driver is loaded where it is used.
    from redis.asyncio import Redis

SMTP_SECONDS = 15.0
"""For each of the steps of an exchange by SMTP."""


class Sink:
    async def take(self, event: Event) -> None:
        """Raises `NotTaken`."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close what is kept open from one event to the next."""


class Signed(Sink):
    """An address that is posted the event, signed as Standard Webhooks says by the secret of the subscriber."""

    def __init__(self, url: str, name: str, source: str, posting: Posting) -> None:
        self._url = url
        self._name = name
        self._source = source
        self._posting = posting

    async def take(self, event: Event) -> None:
        # The signature's id is part of a header: it is of ASCII, whatever a subject is.
        id = json.dumps(event.id)[1:-1]
        _check(await self._posting.signed(self._url, event.body(self._source), self._name, id, MEDIA_TYPE))


class Stream(Sink):
    """A stream of Redis, whose entries have the event in their field `event`."""

    def __init__(self, name: str, longest: int, source: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._longest = longest
        self._source = source
        self._environ = environ
        self._client: Redis | None = None

    async def take(self, event: Event) -> None:
        from redis.exceptions import RedisError

        from continuo.stores.redis.client import connect

        try:
            self._client = self._client or connect(_set(self._environ, "REDIS_URL"))
            entry = {"event": event.body(self._source)}
            await self._client.xadd(self._name, entry, maxlen=self._longest, approximate=True)  # type: ignore[arg-type]
        except (InputError, RedisError) as error:
            raise NotTaken(f"{type(error).__name__}: {error}") from error

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()


class Shaped(Sink):
    """An address of somebody else's service, that is posted what `shape` makes of the event."""

    def __init__(self, url: Callable[[], str], shape: Callable[[Event], JsonValue], posting: Posting) -> None:
        self._url = url
        self._shape = shape
        self._posting = posting

    async def take(self, event: Event) -> None:
        url, body = self._url(), json.dumps(self._shape(event))
        try:
            _check(await self._posting.post(url, body, {"content-type": "application/json"}))
        except NotTaken as error:
            # The address may be a secret.
            raise NotTaken(str(error).replace(url, "the address")) from None


class Mail(Sink):
    """A server of SMTP."""

    def __init__(self, channel: alerts.Email, environ: Mapping[str, str]) -> None:
        self._channel = channel
        self._environ = environ

    async def take(self, event: Event) -> None:
        await asyncio.to_thread(self._send, event)

    def _send(self, event: Event) -> None:
        channel = self._channel
        host, _, port = channel.server.rpartition(":")
        context = ssl.create_default_context()
        message = for_email(event, channel.sender, channel.to)
        try:
            with (
                smtplib.SMTP_SSL(host, int(port), timeout=SMTP_SECONDS, context=context)
                if channel.security == "tls"
                else smtplib.SMTP(host, int(port), timeout=SMTP_SECONDS)
            ) as server:
                if channel.security == "starttls":
                    server.starttls(context=context)
                if channel.user_env and channel.password_env:
                    server.login(_set(self._environ, channel.user_env), _set(self._environ, channel.password_env))
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            # What a server says of a login may hold what was sent.
            what = "" if isinstance(error, smtplib.SMTPAuthenticationError) else f": {error}"
            raise NotTaken(f"{type(error).__name__}{what}") from None


def for_subscriber(
    subscriber: Subscriber, name: str, source: str, posting: Posting, environ: Mapping[str, str]
) -> Sink:
    if subscriber.url is not None:
        return Signed(subscriber.url, f"events/{name}", source, posting)
    assert subscriber.redis is not None
    return Stream(subscriber.redis, subscriber.longest, source, environ)


def for_channel(channel: alerts.Channel, name: str, source: str, posting: Posting, environ: Mapping[str, str]) -> Sink:
    match channel:
        case alerts.Webhook():
            return Signed(channel.url, f"alerts/{name}", source, posting)
        case alerts.Slack():
            return Shaped(lambda: _set(environ, channel.url_env), for_slack, posting)
        case alerts.PagerDuty():
            key = channel.key_env
            return Shaped(lambda: channel.url, lambda event: for_pagerduty(event, _set(environ, key), source), posting)
        case alerts.Email():
            return Mail(channel, environ)


def _set(environ: Mapping[str, str], variable: str) -> str:
    if not (value := environ.get(variable, "").strip()):
        raise NotTaken(f"{variable} is not set; set it in the environment of the pools")
    return value


def _check(status: int) -> None:
    if not httpx.codes.is_success(status):
        raise NotTaken(f"it answers {status}")
