"""The Python client, against a real server, pool and simulated provider."""

import asyncio
import socket
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.service import RPCError, RPCStatusCode

from continuo.client import BatchItem, Continuo, InputError, NoServer, Run, RunFailed, Times
from continuo.client.errors import plain_errors
from continuo.client.media import Medium
from continuo.config.defaults import DEFAULTS
from continuo.door import Answered
from continuo.door.items import FIELDS
from continuo.messages import Message
from continuo.patterns import Call, Http, Retry, Saga, SagaStep, Template
from continuo.testing.processes import Control, kill, until
from tests.support.media import png, wav
from tests.support.streams import STORY
from tests.support.world import World

ORDER: dict[str, JsonValue] = {
    "order_id": "T-1",
    "country": "AQ",
    "card": "visa",
    "items": [{"sku": "mug", "quantity": 1, "unit_price_cents": 1250}],
}

ONCE = Retry(attempts=1)


@pytest.fixture(scope="module")
async def connected(worker: None) -> AsyncIterator[Continuo]:
    """One for all: to leave it takes a second where a pool is in the same process."""
    async with Continuo.connect() as client:
        yield client


@pytest.fixture
def continuo(connected: Continuo, simulator: Control) -> Continuo:
    return connected


async def test_a_named_pattern_is_run_for_a_tenant(continuo: Continuo, simulator: Control) -> None:
    outcome = await continuo.run("support", "Where is my order?", tenant="acme")
    assert outcome.tier == 1
    assert outcome.simulated
    [call] = await simulator.calls()
    assert "Where is my order?" in str(call["body"])


async def test_an_agent_s_answer_is_read_as_it_comes_and_again_from_its_beginning(
    continuo: Continuo, simulator: Control
) -> None:
    look = {"text": "I look.", "calls": [{"name": "look_up", "arguments": {"input": "parcels"}}]}
    await simulator.behave("sim-mid", script=[look, {"text": STORY}], pace=0.02)
    run = await continuo.start("help-desk", "How do I return a parcel?", stream=True)
    text, answered = "", True
    async for piece in run.stream():
        text += piece
        if answered and "word1" in text:
            answered = (await simulator.calls("sim-mid"))[-1]["answered"]
    assert not answered
    assert text == f"I look.\n\n{STORY}" == (await run.result()).text
    again = await continuo.get(run.id)
    assert "".join([piece async for piece in again.stream()]) == text


async def test_the_stream_of_a_run_that_fails_ends_as_its_result_does(continuo: Continuo, simulator: Control) -> None:
    await simulator.behave("sim-free", status=400)
    run = await continuo.start("model:sim-free", "Hello?", stream=True)
    with pytest.raises(RunFailed, match="invalid_request"):
        [piece async for piece in run.stream()]


@pytest.mark.parametrize("path", [DEFAULTS / "patterns" / "answer.yaml", str(DEFAULTS / "patterns" / "answer.yaml")])
async def test_a_pattern_may_be_a_file(continuo: Continuo, path: Path | str) -> None:
    assert (await continuo.run(path, "Hello?")).served_by == "model"


async def test_a_pattern_may_be_a_model(continuo: Continuo) -> None:
    assert (await continuo.run("model:sim-free", "Hello?")).model == "sim-free"


async def test_a_pattern_may_be_a_python_object_with_a_name(continuo: Continuo) -> None:
    outcome = await continuo.run(Call(model="sim-free") | Call(model="sim-narrow"), "Hello?", name="both")
    assert set(outcome.outputs) == {"branch1", "branch2"}
    assert (outcome.workflow_id or "").startswith("both-")


async def test_messages_and_instructions_reach_the_model(continuo: Continuo, simulator: Control) -> None:
    turns = [Message(role=role, content=role) for role in ("user", "assistant", "user")]
    await continuo.run("model:sim-free", messages=turns, system="Be brief.")
    [call] = await simulator.calls()
    assert [turn["role"] for turn in call["body"]["messages"]] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize("as_bytes", [False, True])
async def test_media_reach_the_model_from_files_and_from_bytes(
    continuo: Continuo, simulator: Control, tmp_path: Path, as_bytes: bool
) -> None:
    photo = png(seed=11 + as_bytes)
    (path := tmp_path / "photo.png").write_bytes(photo)
    medium: Medium = ("photo.png", photo) if as_bytes else path
    outcome = await continuo.run("describe", "What is this?", media=[medium])
    assert "image/png of" in outcome.text
    [call] = await simulator.calls()
    assert b64encode(photo).decode() in str(call["body"])
    await continuo.run("model:sim-mid", media=[medium])


@pytest.mark.parametrize(
    ("pattern", "medium", "says"),
    [
        ("describe", Path("none.png"), "cannot read none.png: No such file or directory; name a file that exists"),
        ("describe", ("program", b"\x7fELF\xff"), "program is of a type that is not taken; images as PNG"),
        ("describe", ("empty.png", b""), "empty.png is empty; name a file with content"),
        ("describe", b"bytes", "media: \"b'bytes'\" is none; give paths, or pairs of a name and bytes"),
        ("describe", ("large.wav", wav() + bytes(20_000_000)), "large.wav has 20,008,044 bytes, more than 20,000,000"),
        ("model:knowledge", ("photo.png", png()), "model 'knowledge' of the pattern takes no image; use one whose"),
        ("meeting", ("photo.png", png()), "model 'sim-transcribe' transcribes one audio, and the request has none"),
    ],
)
async def test_media_that_cannot_be_sent_are_refused_before_anything_runs(
    continuo: Continuo, simulator: Control, pattern: str, medium: Any, says: str
) -> None:
    with pytest.raises(InputError) as raised:
        await continuo.run(pattern, media=[medium])
    assert str(raised.value).startswith(says)
    assert await simulator.calls() == []


async def test_what_is_submitted_twice_under_an_id_is_done_once(continuo: Continuo, simulator: Control) -> None:
    id = f"ticket-{uuid4()}"
    first = await continuo.run("answer", "Hello?", id=id, tenant="acme")
    second = await continuo.run("answer", "Hello?", id=id, tenant="acme")
    assert second == first
    assert len(await simulator.calls()) == 1


async def test_a_run_is_found_again_by_its_id(continuo: Continuo) -> None:
    run = await continuo.start("answer", "Hello?")
    outcome = await run.result()
    assert await (await continuo.get(run.id)).result() == outcome


async def test_a_run_that_fails_raises_what_failed_and_what_it_cost(continuo: Continuo, simulator: Control) -> None:
    await simulator.behave("sim-free", status=400)
    with pytest.raises(RunFailed, match="400") as raised:
        await continuo.run("model:sim-free", "Hello?")
    assert raised.value.id.startswith("model-sim-free-")
    assert [call.status for call in raised.value.failure.calls] == ["failed"]


async def test_what_failed_is_run_again_or_given_up(continuo: Continuo, simulator: Control) -> None:
    await simulator.behave("sim-free", status=400)
    run = await failed_run(continuo)
    await simulator.behave("sim-free")
    await run.retry()

    async def answered() -> bool:
        again = await continuo.get(run.id)
        try:
            return bool((await again.result()).text)
        except RunFailed:
            return False

    await until(answered)
    await simulator.behave("sim-free", status=400)
    await (await failed_run(continuo)).discard("a test")
    with pytest.raises(InputError, match="has no open dead letter"):
        await (await continuo.get(run.id)).discard()


async def failed_run(continuo: Continuo) -> Run:
    run = await continuo.start("model:sim-free", "Hello?")
    with pytest.raises(RunFailed):
        await run.result()
    return run


async def test_progress_is_seen_while_a_run_lasts_and_it_can_be_cancelled(
    continuo: Continuo, simulator: Control
) -> None:
    await simulator.behave("sim-free", latency=60)
    run = await continuo.start(Template(text="one") >> Call(model="sim-free"), "Hello?")

    async def under_way() -> bool:
        return [step.status for step in (await run.progress()).steps][-2:] == ["done", "running"]

    await until(under_way)
    await run.cancel()
    with pytest.raises(RunFailed) as raised:
        await run.result()
    assert raised.value.failure.type == "Cancelled"


async def test_a_deadline_ends_a_run(continuo: Continuo, simulator: Control) -> None:
    await simulator.behave("sim-free", latency=60)
    with pytest.raises(RunFailed) as raised:
        await continuo.run("model:sim-free", "Hello?", deadline="300ms")
    assert raised.value.failure.type == "DeadlineExceeded"


async def test_a_parked_compensation_is_decided_on(continuo: Continuo, shop: Control) -> None:
    await shop.put("/_faults/inventory", method="DELETE", count=1, status=503)
    run = await continuo.start(saga(), data=ORDER)

    async def parked() -> bool:
        return any("parked" in point.name for point in (await run.progress()).checkpoints)

    await until(parked)
    with pytest.raises(InputError, match="'shipping' is not parked; parked: reserve"):
        await run.resolve("shipping", "skip", by="ada")
    await run.resolve("reserve", "retry", by="ada", note="the service is back")
    with pytest.raises(RunFailed) as raised:
        await run.result()
    assert raised.value.failure.checkpoints[-1].name == "reserve undone"


def saga() -> Saga:
    def http(service: str, method: str, path: str) -> Http:
        return Http.model_validate({"service": service, "method": method, "path": path, "retry": ONCE})

    undo = http("inventory", "DELETE", "/reservations/{saga}")
    steps = (
        SagaStep(name="reserve", do=http("inventory", "PUT", "/reservations/{saga}"), undo=undo),
        SagaStep(name="ship", do=http("shipping", "PUT", "/shipments/{saga}")),
    )
    return Saga(steps=steps, undo_retry=ONCE)


async def test_a_signal_reaches_a_workflow_of_any_kind(continuo: Continuo, simulator: Control) -> None:
    await simulator.behave("sim-free", status=400)
    run = await failed_run(continuo)
    assert not isinstance(run._run, Answered)
    letter = await continuo.get(f"dead-letter/{run.id}/{await run._run.newest_run_id()}")
    await letter.signal("discard", "by a signal")
    with pytest.raises(InputError, match="has ended"):
        await until_closed(letter)


async def test_a_call_of_a_model_waits_for_no_signal(continuo: Continuo) -> None:
    run = await continuo.start("model:sim-free", "Hello?")
    with pytest.raises(InputError, match="no signal"):
        await run.signal("discard")
    outcome = await run.result()
    assert (await run.progress()).calls == outcome.calls
    assert await (await continuo.get(run.id)).result() == outcome


async def until_closed(letter: Run) -> None:
    async def closed() -> bool:
        await letter.signal("discard", "again")
        return False

    await until(closed)


@pytest.mark.parametrize(
    ("pattern", "options", "message"),
    [
        ("suport", {}, "unknown pattern 'suport'; did you mean 'support'?"),
        ("none.yaml", {}, "cannot read none.yaml: No such file"),
        ("model:sim-fre", {}, "unknown model 'sim-fre'; did you mean 'sim-free'?"),
        (Call(model="premum"), {}, "unknown model 'premum'; did you mean 'premium'?"),
        ("support", {"tenant": "a/b"}, "tenant: 'a/b' is no tenant's name"),
        ("support", {"deadline": "soon"}, "deadline: 'soon' is not a duration"),
        ("support", {"priority": "urgent"}, "priority: Input should be"),
        ("support", {"tenent": "acme"}, "tenent: Extra inputs are not permitted"),
        ("order", {}, "acts on data"),
    ],
)
async def test_wrong_input_is_named_before_anything_runs(
    continuo: Continuo, simulator: Control, pattern: str | Call, options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as raised:
        await continuo.run(pattern, "Hello?", **options)  # type: ignore[arg-type]
    assert message in str(raised.value)
    assert await simulator.calls() == []


async def test_without_a_prompt_one_line_says_what_to_give(continuo: Continuo) -> None:
    with pytest.raises(InputError, match="give a prompt, messages or data"):
        await continuo.run("support")


async def test_an_id_that_nobody_has_is_named(continuo: Continuo) -> None:
    with pytest.raises(InputError, match="no run is called 'nobody'"):
        await continuo.get("nobody")


async def test_no_server_is_one_clear_error_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    since = time.monotonic()
    with pytest.raises(NoServer, match=f"no Temporal server at {address}; start one with `continuo dev`"):
        async with Continuo.connect():
            pass
    assert time.monotonic() - since < 15


@pytest.mark.parametrize("status", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"])
def test_a_server_that_does_not_answer_is_one_clear_error_whatever_the_sdk_calls_it(status: str) -> None:
    with pytest.raises(NoServer, match="the Temporal server does not answer"), plain_errors():
        raise RPCError("late", RPCStatusCode[status], b"")


@pytest.mark.chaos
async def test_a_server_that_goes_away_is_one_clear_error_and_its_runs_go_on(world: World) -> None:
    await world.pool()
    await world.simulator.behave("sim-free", latency=3)
    async with Continuo.connect() as continuo:
        run = await continuo.start("model:sim-free", "Hello?")
        result = asyncio.create_task(run.result())
        await kill(world.temporal.child)
        attempts = (result, continuo.run("model:sim-free", "Hello?"), run.cancel(), run.retry())
        for error in await asyncio.wait_for(asyncio.gather(*attempts, return_exceptions=True), 60):
            assert isinstance(error, NoServer)
            assert "the Temporal server does not answer" in str(error)
        await world.temporal.start()
        assert (await run.result()).text


async def test_a_scheduled_batch_is_done_at_each_time_and_wrong_items_are_named(
    continuo: Continuo, simulator: Control
) -> None:
    schedules, whose = continuo.schedules, f"t-{uuid4().hex[:8]}"
    assert {*BatchItem.__annotations__} == {*FIELDS}
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (["One?", {"promt": "Two?"}], {}, "items:2: 'promt' is no field of an item"),
        (["One?", {"system": "Be brief."}], {}, "items:2: .*give a prompt, messages or data"),
        (["One?", 2], {}, "items:2: an item is a text or an object"),
        ("One?", {}, "items: a text is one item; write a list"),
        ([], {}, "items has no items"),
        (["One?"], {"off_peak": "at night"}, "off_peak: "),
        (["One?"], {"window": 0}, "window"),
        (["One?"], {"provider_batch": "soon"}, "within: 'soon' is not a duration"),
    ]
    for items, options, says in cases:
        with pytest.raises(InputError, match=says):
            await schedules.create_batch(
                "nightly", "model:sim-mid", items, times=Times(every=86400), tenant=whose, **options
            )
    made: list[str | BatchItem] = ["One?", {"prompt": "Two?", "id": "second"}]
    row = await schedules.create_batch("nightly", "model:sim-mid", made, times=Times(every=86400), tenant=whose)
    assert (row.pattern, row.priority, row.items is not None) == ("model:sim-mid", "batch", True)
    own: dict[str, Any] = {"priority": "standard", "provider_batch": "24h", "replace": True}
    await schedules.create_batch("nightly", "model:sim-mid", made, times=Times(every=86400), tenant=whose, **own)
    await schedules.trigger("nightly", tenant=whose)

    async def ran() -> bool:
        return [one.status for one in (await schedules.show("nightly", tenant=whose)).times] == ["completed"]

    await until(ran)
    assert [call["protocol"] for call in await simulator.calls("sim-mid")] == ["openai batch"] * 2
    await schedules.delete("nightly", tenant=whose)


async def test_a_schedule_is_planned_run_paused_and_forgotten(continuo: Continuo, simulator: Control) -> None:
    schedules, whose = continuo.schedules, f"t-{uuid4().hex[:8]}"
    times = Times(cron=("0 6 * * 1-5",), zone="Europe/Berlin")
    row = await schedules.create("nightly", "model:sim-mid", "How many?", times=times, tenant=whose)
    assert (row.pattern, row.times) == ("model:sim-mid", "0 6 * * 1-5 (Europe/Berlin)")
    with pytest.raises(InputError, match="has a schedule 'nightly' already"):
        await schedules.create("nightly", "model:sim-mid", "How many?", times=times, tenant=whose)
    with pytest.raises(InputError, match="media: each time of a schedule is a run of its own"):
        await schedules.create("seen", "describe", media=[("photo.png", png())], times=times, tenant=whose)
    await schedules.trigger("nightly", tenant=whose)

    async def ran() -> bool:
        return [one.status for one in (await schedules.show("nightly", tenant=whose)).times] == ["completed"]

    await until(ran)
    assert len(await simulator.calls("sim-mid")) == 1
    await schedules.pause("nightly", note="too dear", tenant=whose)
    assert (await schedules.show("nightly", tenant=whose)).schedule.note == "too dear"
    await schedules.resume("nightly", tenant=whose)
    await schedules.delete("nightly", tenant=whose)
    with pytest.raises(InputError, match="has no schedule 'nightly'"):
        await schedules.show("nightly", tenant=whose)
