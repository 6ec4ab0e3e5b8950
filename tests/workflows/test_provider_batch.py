"""Batches of a provider's own on the real server: each item once, at half the price, whatever becomes of them."""

from array import array
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Request
from continuo.door.request import Line
from continuo.errors import InputError
from continuo.jobs import Context, KeyTerms, Outcome
from continuo.messages import Message
from continuo.operations.batches import AtProvider, BatchRow, Terms, workflow_id
from continuo.parameters import Parameters
from continuo.patterns import Call, Step, Template
from continuo.providers.openai_batches import OpenAIBatches
from continuo.stores.database import Database
from continuo.stores.opened import open_store
from continuo.stores.provider_batches import SentBatches
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, replay, until
from tests.workflows.test_batch import Place, batches, numbered

pytestmark = pytest.mark.usefixtures("worker")

EVERY = pytest.mark.parametrize("model", ["sim-mid", "sim-premium", "sim-mini"])
HALF = AtProvider()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked often how they stand."""
    for name in ("FIRST_LOOK", "LONGEST_PAUSE", "IDLE_PAUSE", "AWAY"):
        monkeypatch.setattr(f"continuo.operations.provider_batches.{name}", 0.1)


@pytest.fixture
async def place(client: Client) -> AsyncIterator[Place]:
    async with batches(client) as place:
        yield place


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    database = open_store(Settings(), environment())
    yield database
    await database.aclose()


async def asked(simulator: Control, model: str = "sim-mid") -> list[str]:
    """By which protocol each call of the model came."""
    return [call["protocol"] for call in await simulator.calls(model)]


async def ledger(database: Database, place: Place) -> list[dict[str, object]]:
    return await database.read("SELECT * FROM ledger WHERE tenant = ? ORDER BY identity", (place.tenant,))


async def reserved(database: Database, place: Place) -> list[dict[str, object]]:
    return await database.read("SELECT * FROM reservations WHERE tenant = ?", (place.tenant,))


@EVERY
async def test_items_are_answered_by_one_batch_and_cost_half(
    place: Place, simulator: Control, database: Database, model: str
) -> None:
    half = await place.ended(numbered(4), Call(model=model), at_provider=HALF)
    assert (half.state, half.tally.done) == ("done", 4)
    [protocol] = {*await asked(simulator, model)}
    assert protocol.endswith(" batch")
    [first, *_] = await place.store.results(place.tenant, "b", 0, 10)
    outcome = Outcome.model_validate_json(first["result"])
    assert "Question 1?" in outcome.text
    assert (outcome.model, outcome.workflow_id) == (model, workflow_id(place.tenant, "b"))
    price = Library().catalog.models[model].price
    assert price is not None
    assert outcome.usage is not None
    assert outcome.cost_usd == pytest.approx(price.cost(outcome.usage) / 2, rel=1e-6)
    rows = await ledger(database, place)
    assert {(row["status"], row["simulated"], row["estimated"]) for row in rows} == {("ok", 1, 0)}
    assert (len(rows), len(await asked(simulator, model))) == (4, 4)
    assert sum(int(str(row["cost_nanousd"])) for row in rows) / 1e9 == pytest.approx(half.tally.cost_usd)
    assert await reserved(database, place) == []


async def test_a_request_that_fails_is_its_own_and_is_run_again_alone(place: Place, simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400, outage=1, error_message="on fire")
    batch = await place.ended(numbered(3), at_provider=HALF)
    assert (batch.state, batch.tally.done, batch.tally.failed) == ("done", 2, 1)
    [failed] = [row for row in await place.store.results(place.tenant, "b", 0, 10) if row["state"] == "failed"]
    assert "on fire" in failed["result"]
    assert failed["cost_nanousd"] == 0
    again = await place.end(await place.batches.rerun_failed(batch))
    assert (again.tally.done, again.tally.failed) == (3, 0)
    assert await asked(simulator) == ["openai batch"] * 4


async def test_many_bytes_are_split(place: Place, simulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenAIBatches, "most_bytes", 500)
    before = await sizes(simulator)
    await simulator.delete("/_sim/calls")
    assert (await place.ended(numbered(5), at_provider=HALF)).tally.done == 5
    parts = await sizes(simulator)
    split = [parts[id] for id in parts if id not in before]
    assert (len(split), sum(split)) == (3, 5)
    assert await asked(simulator) == ["openai batch"] * 5


async def sizes(simulator: Control) -> dict[str, int]:
    """How many requests each batch has that the provider of `sim-mid` knows."""
    listed = await simulator.get("/v1/batches?limit=1000")
    return {one["id"]: one["request_counts"]["total"] for one in listed["data"]}


async def test_of_one_that_expires_the_answers_are_kept_and_the_rest_alone_is_sent_again(
    place: Place, simulator: Control, database: Database
) -> None:
    await simulator.behave("sim-mid", batch={"answers": 2})
    batch = await place.ended(numbered(5), at_provider=HALF)
    assert (batch.state, batch.tally.done) == ("done", 5)
    assert await asked(simulator) == ["openai batch"] * 5
    assert len(await ledger(database, place)) == 5
    await replay(place.client, workflow_id(place.tenant, "b"))


async def embedded(place: Place, at_provider: AtProvider, *items: Sequence[str]) -> BatchRow:
    """Each item has its texts."""
    step, context = Call(model="sim-embed"), Context(pattern="test", tenant=place.tenant)
    requests = [
        Request(
            pattern=step,
            name="test",
            messages=tuple(Message(role="user", content=text) for text in texts),
            parameters=Parameters(embed=True),
        )
        for texts in items
    ]
    terms = Terms(step=Library().step(step), context=context, at_provider=at_provider)
    lines = [Line(number, request) for number, request in enumerate(requests, 1)]
    return await place.end(await place.batches.submit("b", str(items), terms, "items.jsonl", lines))


async def test_embeddings_cost_half_too_and_a_batch_of_them_is_full_by_its_texts(
    place: Place, simulator: Control, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIBatches, "most_items", 3)
    vectors = {"a": [1.0, 0.0], "b": [0.0, 1.0], "c": [0.5, 0.5]}
    await simulator.behave("sim-embed", embeddings=vectors, refuses_text="bad", batch={"answers": 1})
    known = await sizes(simulator)
    batch = await embedded(place, HALF, ["a", "b"], ["c"], ["bad"], ["d", "e"])
    assert (batch.state, batch.tally.done, batch.tally.failed) == ("done", 3, 1)
    # The first two have three texts, and the others as well; of each batch one item is answered.
    assert [size for id, size in (await sizes(simulator)).items() if id not in known] == [1, 2, 2, 2]
    calls = await simulator.calls("sim-embed")
    assert {call["protocol"] for call in calls} == {"openai batch"}
    assert sorted(call["inputs"] for call in calls) == [1, 1, 2, 2]
    results = await place.store.results(place.tenant, "b", 0, 10)
    first, second, last = (Outcome.model_validate_json(results[at]["result"]) for at in (0, 1, 3))
    assert [*array("f", b64decode(first.embedding or ""))] == [*vectors["a"], *vectors["b"]]
    assert [*array("f", b64decode(second.embedding or ""))] == vectors["c"]
    assert "one of the texts is refused" in results[2]["result"]
    assert last.usage is not None
    price = Library().catalog.models["sim-embed"].price
    assert price is not None
    assert last.cost_usd == pytest.approx(price.cost(last.usage) / 2, rel=1e-6)
    rows = await ledger(database, place)
    assert [(row["status"], row["estimated"]) for row in rows] == [("ok", 0)] * 3
    assert sum(int(str(row["cost_nanousd"])) for row in rows) / 1e9 == pytest.approx(batch.tally.cost_usd)
    assert await reserved(database, place) == []


async def test_what_no_batch_answers_is_asked_for_by_single_calls(place: Place, simulator: Control) -> None:
    await simulator.behave("sim-mid", batch={"answers": 0})
    batch = await place.ended(numbered(2), at_provider=HALF)
    assert (batch.state, batch.tally.done) == ("done", 2)
    assert await asked(simulator) == ["openai"] * 2


async def test_there_are_no_batches_where_the_time_is_too_short_for_them(place: Place, simulator: Control) -> None:
    batch = await embedded(place, AtProvider(within=60), ["a", "b"], ["c"])
    assert (batch.state, batch.tally.done) == ("done", 2)
    assert await asked(simulator, "sim-embed") == ["openai"] * 2


@pytest.mark.parametrize("model", ["sim-mid", "sim-premium"])
async def test_one_whose_submission_got_no_answer_is_found_and_not_sent_again(
    place: Place, simulator: Control, model: str
) -> None:
    await simulator.behave(model, batch={"lost": True})
    # Anthropic's is known by its size alone: no batch of another test has this one.
    batch = await place.ended(numbered(11), Call(model=model), at_provider=HALF)
    assert (batch.state, batch.tally.done) == ("done", 11)
    assert len(await asked(simulator, model)) == 11


async def sent(place: Place, id: str = "b") -> None:
    """Wait until a batch is at the provider."""
    database = open_store(Settings(), environment())
    store = SentBatches(database, (await namespace_of(place.client)).id)

    async def known() -> bool:
        return any(one.remote for one in await store.under_way(place.tenant, id))

    await until(known)
    await database.aclose()


async def test_one_that_vanishes_is_booked_at_its_estimate_and_its_items_are_sent_again(
    place: Place, simulator: Control, database: Database
) -> None:
    await simulator.behave("sim-mid", batch={"delay": 600})
    batch = await place.begun(numbered(3), at_provider=HALF)
    await sent(place)
    [money] = await reserved(database, place)
    await simulator.behave("sim-mid", batch={"vanishes": True, "delay": 600})

    async def booked() -> bool:
        return bool(await ledger(database, place))

    await until(booked)
    await simulator.delete("/_sim/models")
    assert (await place.end(batch)).tally.done == 3
    [lost] = [row for row in await ledger(database, place) if row["status"] == "lost"]
    assert (lost["estimated"], lost["cost_nanousd"]) == (1, money["nanousd"])
    assert await reserved(database, place) == []


@pytest.mark.parametrize("now", [False, True], ids=["stopped", "cancelled"])
async def test_to_stop_it_ends_the_batch_of_the_provider_and_keeps_what_was_answered(
    place: Place, simulator: Control, database: Database, now: bool
) -> None:
    await simulator.behave("sim-mid", batch={"delay": 600, "answers": 1})
    batch = await place.begun(numbered(3), at_provider=HALF)
    await sent(place)
    assert await place.batches.stop(batch, now=now)
    stopped = await place.end(batch)
    state = "cancelled" if now else "stopped"
    assert (stopped.state, stopped.tally.done, stopped.tally.waiting) == (state, 1, 2)
    await simulator.delete("/_sim/models")
    done = await place.end(await place.batches.resume(stopped))
    assert (done.state, done.tally.done) == ("done", 3)
    assert await asked(simulator) == ["openai batch"] * 3
    assert await reserved(database, place) == []


async def test_a_terminated_one_goes_on_with_what_it_had_sent(
    place: Place, simulator: Control, database: Database
) -> None:
    await simulator.behave("sim-mid", batch={"delay": 600})
    batch = await place.begun(numbered(3), at_provider=HALF)
    await sent(place)
    await place.handle().terminate("by hand")
    with pytest.raises(InputError, match="resume"):
        await place.end(batch)
    with pytest.raises(InputError, match="go on with: continuo batch resume b"):
        await place.begun(numbered(3))
    await simulator.delete("/_sim/models")
    assert (await place.ended(numbered(3), at_provider=HALF)).tally.done == 3
    assert await asked(simulator) == ["openai batch"] * 3


async def test_one_that_the_provider_refuses_as_a_whole_fails_with_the_reason(place: Place, simulator: Control) -> None:
    await simulator.behave("sim-mid", batch={"invalid": True})
    batch = await place.ended(numbered(2), at_provider=HALF)
    assert (batch.state, batch.tally.failed) == ("done", 2)
    [row, _] = await place.store.results(place.tenant, "b", 0, 10)
    assert "scripted by the simulator" in row["result"]


async def test_no_more_is_sent_than_there_is_money_for(place: Place, simulator: Control) -> None:
    batch = await place.ended(numbered(4), budget_usd=1e-9, at_provider=HALF)
    assert (batch.state, batch.tally.waiting, await asked(simulator)) == ("spent", 4, [])
    # One may cost some 0.01 at most, and costs far less.
    more = await place.ended(numbered(4), budget_usd=0.025, at_provider=HALF)
    assert (more.state, more.tally.done) == ("done", 4)
    assert await asked(simulator) == ["openai batch"] * 4


async def test_of_a_day_s_money_is_reserved_what_a_batch_may_cost_and_the_rest_waits_for_it(
    place: Place, simulator: Control, database: Database
) -> None:
    def keyed(usd: float) -> Context:
        key = KeyTerms(id=f"k-{uuid4().hex}", daily_usd=usd)
        return Context(pattern="test", tenant=place.tenant, key=key)

    known = await sizes(simulator)
    # Those of other tests have just ended.
    await simulator.delete("/_sim/calls")
    batch = await place.ended(numbered(5), context=keyed(0.025), at_provider=HALF)
    assert (batch.state, batch.tally.done) == ("done", 5)
    split = [size for id, size in (await sizes(simulator)).items() if id not in known]
    assert (max(split), sum(split)) == (2, 5)
    broke = await place.ended(numbered(2), id="broke", context=keyed(0.001), at_provider=HALF)
    assert (broke.state, broke.tally.failed) == ("done", 2)
    [row, _] = await place.store.results(place.tenant, "broke", 0, 10)
    assert "a batch of 1 to sim-mid may cost" in row["result"]
    assert await asked(simulator) == ["openai batch"] * 5
    assert await reserved(database, place) == []


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Template(text="Hi."), "pattern 'test' is a template, and a provider's batch asks one model"),
        (Call(model="knowledge"), "has no batches as far as the catalog says"),
        (Call(model="sim-google-embed"), "'google' has no batches of embeddings; name another model"),
        (Call(model="sim-transcribe"), "transcribes, and no provider has batches of that"),
    ],
    ids=["no call", "no batches", "no batches of embeddings", "transcription"],
)
async def test_what_cannot_go_into_one_is_refused_before_anything_is_kept(place: Place, step: Step, says: str) -> None:
    with pytest.raises(InputError, match=says):
        await place.begun(numbered(1), step, at_provider=HALF)
    assert await place.store.listed(place.tenant, 10) == []
