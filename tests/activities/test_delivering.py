"""What an attempt does whose call was streamed before, where not all of that can be known."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from continuo.activities.delivering import Delivery, begun
from continuo.activities.filling import filled_in
from continuo.config.catalog import Catalog, Model, Provider
from continuo.config.settings import Settings
from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta, text_of
from continuo.errors import ProviderError
from continuo.jobs import Context, Job
from continuo.messages import Message, ModelRequest
from continuo.patterns import Call
from continuo.stores.opened import opened_streams
from continuo.stores.streams import Claim, StreamLog, Writer

ASKED = ModelRequest(messages=(Message(role="user", content="Tell me."),))


class Broken:
    async def claim(self, writer: Writer, now: float) -> Claim:
        raise ConnectionError("away")


def streamed(**fields: object) -> Job:
    step = Call.model_validate({"model": "m", **fields})
    return Job(step=step, context=Context(pattern="test"), request=ASKED, stream="run")


async def test_an_answer_that_may_have_begun_is_not_asked_from_its_start_while_the_log_cannot_tell() -> None:
    log = cast(StreamLog, Broken())
    with pytest.raises(ProviderError, match="cannot be read") as refused:
        await begun(log, streamed(on_break="continue"), attempt=2)
    assert (refused.value.kind, refused.value.retryable) == ("stream_broken", True)
    assert await begun(log, streamed(on_break="continue"), attempt=1) is None
    assert await begun(log, streamed(), attempt=2) is None


def test_a_model_that_does_not_go_on_any_more_is_not_asked_to() -> None:
    model = Model(id="m", provider="p", name="m")
    catalog = Catalog(providers={"p": Provider(protocol="openai", base_url="http://p")}, models={"m": model})
    log, writer = cast(StreamLog, Broken()), Writer("run", "", 2)
    broken = Delivery(log, writer, rated=False, begun="One", count=1)
    with pytest.raises(ProviderError, match="does not go on") as refused:
        filled_in(Call(model="m"), ASKED, catalog, broken, model)
    assert (refused.value.kind, refused.value.retryable) == ("stream_broken", False)
    fresh = Delivery(log, writer, rated=False)
    assert filled_in(Call(model="m"), ASKED, catalog, fresh, model).messages == ASKED.messages


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[StreamLog]:
    async with opened_streams(Settings(data=tmp_path), {}) as streams:
        yield streams


async def delivered(log: StreamLog, job: Job, *pieces: Delta, attempt: int = 1) -> Delivery:
    delivery = await begun(log, job, attempt)
    assert delivery is not None
    for piece in pieces:
        delivery.add(piece)
    await delivery.finish()
    return delivery


async def test_of_the_turns_of_an_agent_the_texts_are_delivered_as_one(log: StreamLog) -> None:
    first, second = streamed().model_copy(update={"turn": 1}), streamed().model_copy(update={"turn": 2, "said": 5})
    await delivered(log, first, ReasoningDelta("Hm."), TextDelta("Look."), ToolDelta(0, "1", "look", "{}"), attempt=3)
    await delivered(log, second, TextDelta("It is "), TextDelta("so."))
    assert "".join(text_of(piece) for piece in await log.read("run", 0)) == "Look.\n\nIt is so."


async def test_a_turn_that_broke_off_is_gone_on_with_alone_where_that_can_be(log: StreamLog) -> None:
    turn = {"turn": 2, "said": 5}
    await delivered(log, streamed().model_copy(update={"turn": 1}), TextDelta("Look."))
    await delivered(log, streamed().model_copy(update=turn), TextDelta("It is "))
    with pytest.raises(ProviderError, match="is not begun anew"):
        await begun(log, streamed().model_copy(update=turn), 2)
    goes_on = await begun(log, streamed(on_break="continue").model_copy(update=turn), 2)
    assert goes_on is not None
    assert (goes_on.begun, goes_on.goes_on) == ("It is ", True)


async def test_behind_what_the_log_has_lost_of_an_agent_nothing_is_delivered(log: StreamLog) -> None:
    await delivered(log, streamed().model_copy(update={"turn": 1}), TextDelta("Loo"))
    assert await begun(log, streamed().model_copy(update={"turn": 2, "said": 5}), 1) is None
