"""The batches of all three protocols, there and back: the client and the simulated provider understand each other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest
from continuo.protection.masking import Masker
from continuo.providers.batch_client import ProviderHttp, lines_of
from continuo.providers.batches import BatchProtocol, Result, Submitted
from continuo.providers.client import ModelClient
from continuo.providers.protocol import wire_protocol
from continuo.testing.processes import Control

EVERY_PROTOCOL = pytest.mark.parametrize("name", ["sim-mid", "sim-premium", "sim-mini"])
CATALOG = load_catalog(Settings().catalog)


class Place:
    """The batches of one simulated model."""

    def __init__(self, models: ModelClient, name: str) -> None:
        self.model = CATALOG.models[name]
        self.http = ProviderHttp(models, self.model.provider, "key")
        self.wire = wire_protocol(CATALOG.providers[self.model.provider].protocol)
        assert self.wire.batches is not None
        self.batches: BatchProtocol = self.wire.batches

    async def submit(self, label: str, count: int = 3) -> str:
        lines = [self.batches.line(f"{label}-{n}", self.body(f"Question {n}?")) for n in range(1, count + 1)]
        return await self.batches.submit(self.http, self.model.name, lines, label)

    def body(self, prompt: str) -> bytes:
        request = ModelRequest(messages=(Message(role="user", content=prompt),))
        return json.dumps(self.wire.encode("", self.model.name, request, stream=False).body).encode()

    async def results(self, id: str) -> dict[str, Result]:
        async with aclosing(self.batches.results(self.http, id)) as results:
            return {result.id: result async for result in results}


@pytest.fixture
async def place(simulator: Control, tmp_path: Path, name: str) -> AsyncIterator[Place]:
    client = ModelClient(CATALOG, {"CONTINUO_SIM_URL": simulator.url}, tmp_path, Masker([]))
    yield Place(client, name)
    await client.aclose()


@EVERY_PROTOCOL
async def test_each_request_comes_back_by_its_id_whatever_the_order(place: Place, simulator: Control) -> None:
    id = await place.submit("a")
    assert (await place.batches.look(place.http, id)).state == "ended"
    results = await place.results(id)
    assert [*results] == ["a-3", "a-2", "a-1"]
    body = results["a-2"].body
    assert body is not None
    assert "Question 2?" in place.wire.decode(body).message.text
    assert place.http.simulated
    assert len(await simulator.calls(place.model.name)) == 3


@EVERY_PROTOCOL
async def test_an_error_of_one_request_is_its_own(place: Place, simulator: Control) -> None:
    await simulator.behave(place.model.name, status=429, outage=1, error_message="too many")
    results = await place.results(await place.submit("a"))
    [error] = [result.error for result in results.values() if result.error]
    assert (error.kind, error.status, str(error)) == ("rate_limited", 429, "429 too many")
    assert len([result for result in results.values() if result.body]) == 2


@EVERY_PROTOCOL
async def test_one_that_is_cancelled_leaves_what_was_not_answered_out(place: Place, simulator: Control) -> None:
    await simulator.behave(place.model.name, batch={"delay": 60, "answers": 1})
    id = await place.submit("a")
    assert (await place.batches.look(place.http, id)).state == "running"
    await place.batches.cancel(place.http, id)
    assert (await place.batches.look(place.http, id)).state == "ended"
    answered = [] if place.model.provider == "sim-google" else ["a-1"]
    assert [*await place.results(id)] == answered


@EVERY_PROTOCOL
async def test_one_whose_answer_was_lost_is_found_again(place: Place, simulator: Control) -> None:
    since = time()
    other = await place.submit("other", 4)
    await simulator.behave(place.model.name, batch={"lost": True})
    assert await place.batches.find(place.http, Submitted("mine", 3, since, [other])) is None
    with pytest.raises(ProviderError):
        await place.submit("mine")
    id = await place.batches.find(place.http, Submitted("mine", 3, since, [other]))
    assert id is not None
    assert sorted(await place.results(id)) == ["mine-1", "mine-2", "mine-3"]


@EVERY_PROTOCOL
async def test_one_that_vanished_is_not_found(place: Place, simulator: Control) -> None:
    id = await place.submit("a")
    await simulator.behave(place.model.name, batch={"vanishes": True})
    with pytest.raises(ProviderError) as caught:
        await place.batches.look(place.http, id)
    assert caught.value.kind == "not_found"


@EVERY_PROTOCOL
async def test_one_that_fails_as_a_whole_says_why(place: Place, simulator: Control) -> None:
    await simulator.behave(place.model.name, batch={"invalid": True})
    id = await place.submit("a")
    seen = await place.batches.look(place.http, id)
    if place.model.provider == "sim-anthropic":
        # It has no such end: each request has the error.
        assert {result.error is not None for result in (await place.results(id)).values()} == {True}
    else:
        assert (seen.state, bool(seen.why)) == ("failed", True)


@pytest.mark.parametrize("name", ["sim-mid"])
async def test_one_that_is_wrong_is_refused_as_a_request_is(place: Place, simulator: Control) -> None:
    with pytest.raises(ProviderError, match="sim-openai: 400"):
        await place.batches.submit(place.http, place.model.name, [], "empty")
    twice = place.batches.line("same", place.body("Where?"))
    with pytest.raises(ProviderError, match="each with an id of its own"):
        await place.batches.submit(place.http, place.model.name, [twice, twice], "twice")


@given(st.lists(st.binary().map(lambda piece: piece.replace(b"0", b"\n"))))
def test_results_in_lines_are_read_in_whatever_pieces_they_come(sent: list[bytes]) -> None:
    async def coming() -> AsyncIterator[bytes]:
        for piece in sent:
            yield piece

    async def read() -> list[bytes]:
        return [line async for line in lines_of(coming())]

    assert asyncio.run(read()) == [*filter(bytes.strip, b"".join(sent).split(b"\n"))]


async def test_a_line_of_results_without_an_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x"

    monkeypatch.setattr("continuo.providers.batch_client.MAX_STREAM", 100)
    with pytest.raises(ProviderError, match="more than 100 bytes"):
        [line async for line in lines_of(endless())]
