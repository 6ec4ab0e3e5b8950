"""Media go to the model, and nowhere else: a history and a store hold a reference of some bytes."""

from base64 import b64encode
from pathlib import Path
from subprocess import check_output
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings
from continuo.door.media import keep
from continuo.door.runs import result
from continuo.jobs import Job
from continuo.messages import Message, ModelRequest
from continuo.parts import Media, Text
from continuo.patterns import Cached, Call, Ensemble, FanOut, Retry, Step
from continuo.testing.processes import Control, begin, failure, histories, job, outcome
from tests.support.media import part, png
from tests.workflows.test_dead_letter import letter_of

pytestmark = pytest.mark.usefixtures("worker")


def about(step: Step, photo: Media, text: str = "What is it?") -> Job:
    request = ModelRequest(messages=(Message(role="user", content=(photo, Text(text=f"{text} {uuid4()}"))),))
    return job(step).model_copy(update={"request": request})


def stored() -> dict[Path, bytes]:
    """Every file of the stores. Read by another process: to close a file that SQLite has open here would take the
    locks of this one from it."""
    paths = [path for path in Settings().data.rglob("*") if path.is_file()]
    return {path: check_output(["cat", path]) for path in paths}


@pytest.fixture
async def photo(client: Client) -> tuple[Media, bytes]:
    """An image of 90 KB that no other test has, and that is kept."""
    content = png(300, 100, seed=uuid4().int)
    medium = part(content, "photo.png")
    await keep(client, Settings(), {medium: content})
    return medium, content


async def test_an_image_reaches_every_model_and_is_in_no_history_and_no_store_but_its_own(
    client: Client, simulator: Control, photo: tuple[Media, bytes]
) -> None:
    """Called inline, in children, from a cache, and in a job that fails and is kept as a dead letter."""
    medium, content = photo
    encoded = b64encode(content)
    for model in ("sim-mid", "sim-mini", "sim-premium"):
        await simulator.behave(model, thought="An image, then.")
    branches = FanOut(branches={"a": Call(model="sim-mid"), "b": Call(model="sim-mini")})
    answered = await begin(client, about(Cached(Ensemble(members=(branches, Call(model="sim-premium")))), medium))
    await answered.result()
    for model in ("sim-mid", "sim-mini", "sim-premium"):
        [call] = await simulator.calls(model)
        assert encoded.decode() in str(call["body"])
    await simulator.behave("sim-free", status=400)
    failed = await begin(client, about(Call(model="sim-free", retry=Retry(attempts=1)), medium))
    await result(failed)
    # Any 60 bytes of it: no part of it is anywhere.
    canaries = (content[200:260], content[-300:-240], encoded[300:360], encoded[-360:-300])
    ids = [answered.id, failed.id, letter_of(client, failed).id]
    events = b"".join(
        [event.SerializeToString() for id in ids async for history in histories(client, id) for event in history.events]
    )
    stores = stored()
    assert medium.sha256.encode() in events
    assert any(canaries[0] in held for held in stores.values())
    for canary in canaries:
        assert canary not in events
        # As it is, never in base64, and with the large payloads alone.
        holding = {path.name for path, held in stores.items() if canary in held}
        assert holding <= ({"payloads.db", "payloads.db-wal"} if canary in content else set())


async def test_a_medium_that_is_not_kept_is_a_clear_failure_that_is_not_tried_again(
    client: Client, simulator: Control
) -> None:
    lost = part(png(seed=uuid4().int), "lost.png")
    found = await failure(client, about(Call(model="sim-mid"), lost))
    assert found.type == "invalid_request"
    assert found.message.startswith("the image lost.png is not in the store of this worker; start runs with")
    assert [call.attempts for call in found.calls] == [1]
    assert await simulator.calls() == []


async def test_a_cached_answer_is_that_of_the_same_image_alone(
    client: Client, simulator: Control, photo: tuple[Media, bytes]
) -> None:
    step = Cached(Call(model="sim-mid"), key=("prompt",))
    asked = about(step, photo[0])
    other = png(seed=uuid4().int)
    await keep(client, Settings(), {part(other): other})
    text = asked.request.messages[0].parts[1]
    turn = Message(role="user", content=(part(other), text))
    differently = asked.model_copy(update={"request": ModelRequest(messages=(turn,))})
    served = [(await outcome(client, one)).served_by for one in (asked, asked, differently)]
    assert served == ["model", "cache", "model"]


async def test_a_cheaper_model_that_takes_no_image_does_not_stand_in(
    client: Client, simulator: Control, photo: tuple[Media, bytes]
) -> None:
    step = Call(model="sim-sees-throttled")
    found = [(await outcome(client, job(step, f"Hi {number}"))).model for number in range(9)]
    assert found == [*["sim-sees-throttled"] * 8, "sim-blind"]
    assert (await outcome(client, about(step, photo[0]))).model == "sim-free"
