"""Events in a stream of a real Redis."""

import json
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from continuo.activities.posting import NotTaken
from continuo.activities.sinks import Stream
from continuo.operations.events import Event
from continuo.stores.redis.client import connect
from tests.support.redis_server import forgotten


async def test_a_stream_has_the_events_in_order_and_not_too_many(redis_url: str) -> None:
    url = await forgotten(redis_url)
    sink = Stream("events", 100, "/here", {"REDIS_URL": url})
    for number in range(250):
        await sink.take(Event(id=f"{number}", type="run.failed", subject="a", time=datetime.now(UTC)))
    async with connect(url) as client:
        entries: Any = await client.xrange("events")
    await sink.aclose()
    ids = [int(json.loads(fields[b"event"])["id"]) for _, fields in entries]
    assert ids == [*range(ids[0], 250)]
    assert 100 <= len(ids) <= 200


@pytest.mark.parametrize(
    ("environ", "says"),
    [({}, "REDIS_URL is not set"), ({"REDIS_URL": "redis://127.0.0.1:1"}, "ConnectionError")],
    ids=["unset", "away"],
)
async def test_a_redis_that_is_away_takes_nothing(environ: dict[str, str], says: str) -> None:
    with pytest.raises(NotTaken, match=says):
        async with aclosing(Stream("events", 100, "/", environ)) as sink:
            await sink.take(Event(id="1", type="run.failed", subject="a", time=datetime.now(UTC)))
