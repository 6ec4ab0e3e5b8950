"""The bus is delivered to addresses and channels over real sockets, in order, until it is taken."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from continuo.authoring.library import Library
from continuo.config.alerts import load_alerts
from continuo.config.settings import Settings
from continuo.decisions.alerts import Alert, Change
from continuo.operations.alerts import of_change
from continuo.operations.events import Event
from continuo.stores.database import Database
from continuo.stores.events import begin, enter_events, positions
from continuo.stores.opened import open_store
from continuo.testing.processes import until
from continuo.workers import dispatching
from tests.support.receiver import Receiver, receiving

KEY = "a key of webhooks for these tests alone"


class Bus:
    """A store of its own, and who is told of what enters it."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"CONTINUO_WEBHOOK_KEY": KEY}
        self.folder = folder
        self.database: Database = open_store(Settings(data=folder), {})

    def library(self, events: str = "", alerts: str = "", *, private: bool = True) -> Library:
        for name, text in (("events", events), ("alerts", alerts)):
            (self.folder / f"{name}.toml").write_text(text, encoding="utf-8")
        paths = {name: self.folder / f"{name}.toml" for name in ("events", "alerts")}
        settings = Settings(data=self.folder, webhook_private=private, webhook_pause=0.1, **paths)
        return Library(settings, self.environ)

    async def enter(self, *events: Event) -> None:
        await self.database.write(lambda connection: enter_events(connection, events))

    @asynccontextmanager
    async def delivering(self, library: Library, *names: str) -> AsyncIterator[None]:
        """Inside, those of these names begin with the first event."""
        for name in names:
            await begin(self.database, name)
        async with dispatching.dispatching(library, self.database):
            yield


@pytest.fixture
async def bus(environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    monkeypatch.setattr(dispatching, "INTERVAL", 0.02)
    bus = Bus(tmp_path)
    yield bus
    await bus.database.aclose()


def ended(subject: str, number: int, **update: Any) -> Event:
    values = {"id": f"{subject}/{number}", "type": "run.completed", "subject": subject, "time": datetime.now(UTC)}
    return Event.model_validate({**values, "tenant": "acme", "pattern": "support", **update})


def to(receiver: Receiver, **wanted: Any) -> str:
    lines = [f"{name} = {json.dumps(value)}" for name, value in wanted.items()]
    return "\n".join(["[subscribers.hook]", f'url = "{receiver.url()}"', *lines])


async def test_an_event_is_posted_signed_as_a_cloud_event(bus: Bus) -> None:
    async with receiving() as receiver, bus.delivering(bus.library(to(receiver)), "events/hook"):
        await bus.enter(ended("run-ü", 1, data={"status": "done"}))
        [sent] = await receiver.has(1)
    assert sent.headers["content-type"] == "application/cloudevents+json"
    event = sent.unwrapped("events/hook", KEY)
    assert event.type == "continuo.run.completed"
    body = json.loads(sent.body)
    assert {name: body[name] for name in ("specversion", "id", "source", "subject", "tenant", "pattern", "data")} == {
        "specversion": "1.0",
        "id": "run-ü/1",
        "source": "/continuo",
        "subject": "run-ü",
        "tenant": "acme",
        "pattern": "support",
        "data": {"status": "done"},
    }


async def test_one_is_told_again_until_it_is_taken_and_then_those_behind_it_in_order(bus: Bus) -> None:
    """The first answer of each run is no; other runs are not held up."""
    async with (
        receiving("500 No", "500 No", "500 No") as receiver,
        bus.delivering(bus.library(to(receiver)), "events/hook"),
    ):
        await bus.enter(*(ended(subject, number) for number in (1, 2, 3) for subject in "abc"))
        sent = await receiver.has(12)
    ids = [json.loads(one.body)["id"] for one in sent]
    assert sorted(ids[:3]) == ["a/1", "b/1", "c/1"]
    for subject in "abc":
        assert [id for id in ids[3:] if id.startswith(subject)] == [f"{subject}/{number}" for number in (1, 2, 3)]


async def test_what_is_never_taken_holds_up_its_run_alone_and_is_given_up_after_a_day(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, bus.delivering(bus.library(to(receiver)), "events/hook"):
        receiver.refused = lambda body: '"bad/1"' in body
        await bus.enter(ended("bad", 1), ended("good", 1), ended("bad", 2))

        async def has(*ids: str) -> bool:
            return {*ids} <= {json.loads(one.body)["id"] for one in receiver.sent}

        await until(lambda: has("bad/1", "good/1"))
        assert not await has("bad/2")
        monkeypatch.setattr(dispatching, "GIVEN_UP", 0)
        await until(lambda: has("bad/2"))

        async def passed() -> bool:
            [position] = await positions(bus.database)
            return (position.seq, position.given_up) == (3, 1)

        await until(passed)


async def test_only_what_is_wanted_is_told_and_a_new_subscriber_begins_with_what_is_next(bus: Bus) -> None:
    async with receiving() as receiver:
        await bus.enter(ended("before", 1))
        async with bus.delivering(bus.library()):
            # Numbered, and taken by nobody.
            await until(lambda: _newest(bus))
        wanted = to(receiver, types=["run.*"], tenants=["acme"], patterns=["support"])
        async with bus.delivering(bus.library(wanted)):
            await until(lambda: _begun(bus))
            await bus.enter(
                ended("a", 1, type="call.completed"),
                ended("b", 1, tenant="zeta"),
                ended("c", 1, pattern="x"),
                ended("d", 1),
            )
            await receiver.has(1)
        assert [json.loads(one.body)["id"] for one in receiver.sent] == ["d/1"]


async def _newest(bus: Bus) -> bool:
    return bool(await bus.database.read("SELECT 1 FROM events WHERE seq IS NOT NULL"))


async def _begun(bus: Bus) -> bool:
    return bool(await positions(bus.database))


async def test_another_pool_goes_on_where_one_has_stopped(bus: Bus) -> None:
    """Two pools at once deliver each event once, and the second one takes over when the first has gone."""
    async with receiving() as receiver:
        library = bus.library(to(receiver))
        async with AsyncExitStack() as first, dispatching.dispatching(library, bus.database):
            await first.enter_async_context(bus.delivering(library, "events/hook"))
            await bus.enter(ended("a", 1), ended("a", 2))
            await receiver.has(2)
            await first.aclose()
            await bus.enter(ended("a", 3))
            await receiver.has(3)
        assert [json.loads(one.body)["id"] for one in receiver.sent] == ["a/1", "a/2", "a/3"]


async def test_nothing_inside_a_network_is_told(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    async with receiving() as receiver, bus.delivering(bus.library(to(receiver), private=False), "events/hook"):
        await bus.enter(ended("a", 1))

        async def refused() -> bool:
            return "begins with https://" in capsys.readouterr().out

        await until(refused)
        assert receiver.sent == []


async def test_a_subscriber_who_takes_nothing_is_asked_less_and_less(bus: Bus) -> None:
    async with receiving() as receiver, bus.delivering(bus.library(to(receiver)), "events/hook"):
        receiver.refused = lambda body: True
        await bus.enter(*(ended(f"run{number}", 1) for number in range(100)))
        start = time.monotonic()
        await receiver.has(3 * dispatching.AT_ONCE)
        assert time.monotonic() - start >= 0.2
        assert len(receiver.sent) <= 4 * dispatching.AT_ONCE


def incident(rule: str = "breaker-open") -> tuple[Event, Event]:
    """An alert and its recovery."""
    rules, now = load_alerts(Settings.model_fields["alerts"].default).rules, datetime.now(UTC)
    alert = Alert(rule=rule, label="openai", firing=True, incident=1, since=now, value=1)
    over = alert.model_copy(update={"firing": False, "value": 0.0})
    return of_change(Change(alert, "fired"), rules[rule]), of_change(Change(over, "recovered"), rules[rule])


RULES = """
[rules.breaker-open]
measure = 'breakers_open'
above = 0
[rules.dead-letters]
measure = 'dead_letters'
above = 0
"""

Check = Callable[[list[dict[str, Any]]], bool]


@pytest.mark.parametrize(
    ("channel", "check"),
    [
        (
            "kind = 'slack'\nurl_env = 'HOOK'",
            lambda sent: "*fired*" in sent[0]["text"] and "*recovered*" in sent[1]["text"],
        ),
        (
            "kind = 'pagerduty'\nkey_env = 'ROUTING'\nurl = 'URL'",
            lambda sent: (
                [(one["event_action"], one["routing_key"]) for one in sent] == [("trigger", "r"), ("resolve", "r")]
                and sent[0]["dedup_key"] == sent[1]["dedup_key"]
            ),
        ),
        (
            "kind = 'webhook'\nurl = 'URL'",
            lambda sent: [one["type"] for one in sent] == ["continuo.alert.fired", "continuo.alert.recovered"],
        ),
    ],
    ids=["slack", "pagerduty", "webhook"],
)
async def test_a_channel_is_told_of_an_alert_and_its_recovery_once(bus: Bus, channel: str, check: Check) -> None:
    async with receiving("503 Busy") as receiver:
        bus.environ |= {"HOOK": receiver.url("/T0/secret"), "ROUTING": "r"}
        config = f"{RULES}[channels.ops]\nrules = ['breaker-open']\n{channel.replace('URL', receiver.url())}"
        async with bus.delivering(bus.library(alerts=config), "alerts/ops"):
            fired, recovered = incident()
            await bus.enter(*incident("dead-letters"), fired, ended("a", 1), recovered)
            sent = await receiver.has(3)
    assert check([json.loads(one.body) for one in sent[1:]])


async def test_what_a_log_says_of_a_channel_holds_no_secret(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.environ["HOOK"] = "https://127.0.0.1:1/T0/very-secret"
    config = f"{RULES}[channels.ops]\nkind = 'slack'\nurl_env = 'HOOK'"
    log = ""
    async with bus.delivering(bus.library(alerts=config), "alerts/ops"):
        await bus.enter(incident()[0])

        async def failed() -> bool:
            nonlocal log
            log += capsys.readouterr().out
            return "event not delivered" in log

        await until(failed)
    assert "very-secret" not in log


class Mailbox:
    """Keeps what a server of SMTP is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.messages.append(message_from_bytes(bytes(envelope.original_content or b""), policy=default))
        return "250 OK"


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """That of a server called localhost, whose certificate is trusted here."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@asynccontextmanager
async def mail_server(mailbox: Mailbox, security: str, certificate: ssl.SSLContext) -> AsyncIterator[int]:
    """The port of one that takes mail with a password alone, where it is not sent in clear text."""

    def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (b"continuo", b"the-password"))

    def smtp() -> SMTP:
        if security == "none":
            return SMTP(mailbox)
        if security == "tls":
            return SMTP(mailbox, authenticator=login, auth_required=True, auth_require_tls=False)
        return SMTP(mailbox, authenticator=login, auth_required=True, tls_context=certificate, require_starttls=True)

    outside = certificate if security == "tls" else None
    server = await asyncio.get_running_loop().create_server(smtp, "127.0.0.1", 0, ssl=outside)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


# It does not see that all of its connection is encrypted.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_an_alert_and_its_recovery_are_two_mails_of_one_conversation(
    bus: Bus, security: str, certified: ssl.SSLContext
) -> None:
    mailbox = Mailbox()
    bus.environ |= {"SMTP_USER": "continuo", "SMTP_PASSWORD": "the-password"}
    secret = "" if security == "none" else "user_env = 'SMTP_USER'\npassword_env = 'SMTP_PASSWORD'\n"
    async with mail_server(mailbox, security, certified) as port:
        config = (
            f"{RULES}[channels.mail]\nkind = 'email'\nserver = 'localhost:{port}'\nsecurity = '{security}'\n{secret}"
            "from = 'continuo@example.com'\nto = ['ops@example.com', 'boss@example.com']"
        )
        async with bus.delivering(bus.library(alerts=config), "alerts/mail"):
            await bus.enter(*incident())

            async def arrived() -> bool:
                return len(mailbox.messages) == 2

            await until(arrived)
    fired, recovered = mailbox.messages
    assert fired["Subject"] == "[Continuo] fired: breaker-open of openai"
    assert fired["To"] == "ops@example.com, boss@example.com"
    assert recovered["In-Reply-To"] == fired["Message-ID"]
    assert "open breakers of openai is above 0; now it is 1" in str(fired.get_payload())
