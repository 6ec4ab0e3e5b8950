"""What an attempt does whose call was streamed before, where not all of that can be known."""

from typing import cast

import pytest

from continuo.activities.delivering import Delivery, begun
from continuo.activities.filling import filled_in
from continuo.config.catalog import Catalog, Model, Provider
from continuo.errors import ProviderError
from continuo.jobs import Context, Job
from continuo.messages import Message, ModelRequest
from continuo.patterns import Call
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
