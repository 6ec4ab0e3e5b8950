"""Kept answers and conversations, on each store."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from continuo.stores.answers import Answers, Kept, Kind
from continuo.stores.conversations import ROOM, Conversation, Conversations
from continuo.stores.database import Database, Row
from continuo.stores.items import Content, Item, Size, drop_item, items_of, media_of, size_of

PICTURE = "a1" * 32
NAMED = json.dumps({"sha256": PICTURE})
ASKED = Content([Item("msg_1_in_0", NAMED), Item("msg_1_in_1", "{}")], {PICTURE: b"picture"})
SAID = Content([Item("msg_1_0", "{}")])
TALK = Conversation("conv_1", "acme", 1.0, {"topic": "orders"})


def kept(number: int = 1, **fields: object) -> Kept:
    made = Kept(
        f"resp_{number}",
        "acme",
        "response",
        float(number),
        "m",
        {"a": "b"},
        "{}",
        f"run-{number}",
        "first",
        "support",
        namespace="here",
    )
    return replace(made, **fields)  # type: ignore[arg-type]


async def ids(database: Database, owner: str) -> list[str]:
    return [item.id for item in (await items_of(database, [owner]))[owner]]


async def test_an_answer_is_of_its_tenant_and_ends_once(database: Database) -> None:
    answers = Answers(database, "here")
    for _ in range(2):
        await answers.begin(kept(), ASKED)
    assert await answers.find("acme", "response", "resp_1") == kept()
    assert await answers.find("globex", "response", "resp_1") is None
    assert await answers.find("acme", "completion", "resp_1") is None
    assert await ids(database, "resp_1") == ["msg_1_in_0", "msg_1_in_1"]
    assert [found.id async for found in answers.open()] == ["resp_1"]
    await answers.end(kept(status="completed", answer={"text": "first \x00"}), SAID, 2.0)
    await answers.end(kept(status="failed", answer={}), SAID, 3.0)
    await answers.begin(kept(), ASKED)
    assert await answers.find("acme", "response", "resp_1") == kept(status="completed", answer={"text": "first \x00"})
    assert [found.id async for found in answers.open()] == []


async def test_what_runs_in_another_namespace_is_not_to_come_here(database: Database) -> None:
    await Answers(database, "there").begin(kept(), ASKED)
    here = Answers(database, "here")
    assert [one.id async for one in here.open()] == []
    assert await here.find("acme", "response", "resp_1") == kept(namespace="there")
    # Unless it is asked again, as where that one was lost.
    await here.begin(kept(run_id="second"), ASKED)
    assert await here.find("acme", "response", "resp_1") == kept(run_id="second")


async def test_what_failed_is_to_come_again_when_it_is_run_again(database: Database) -> None:
    answers = Answers(database, "here")
    await answers.begin(kept(), ASKED)
    await answers.end(kept(status="failed", answer={}), SAID, 2.0)
    await answers.begin(kept(run_id="second"), ASKED)
    assert await answers.find("acme", "response", "resp_1") == kept(run_id="second")
    assert await ids(database, "resp_1") == ["msg_1_in_0", "msg_1_in_1"]


async def test_that_a_run_failed_is_not_kept_when_another_one_has_begun(database: Database) -> None:
    answers = Answers(database, "here")
    await answers.begin(kept(), ASKED)
    await answers.begin(kept(run_id="second"), ASKED)
    await answers.end(kept(status="failed", answer={}), Content(), 2.0)
    said = kept(run_id="second", status="completed", answer={"text": "late"})
    await answers.end(said, Content(), 3.0)
    assert await answers.find("acme", "response", "resp_1") == said


async def test_deleted_nothing_of_it_is_left_and_its_request_is_forgotten(database: Database) -> None:
    answers = Answers(database, "here")
    await answers.begin(kept(), ASKED)
    sql = "INSERT INTO requests (id, caller, path, body_sha256, received) VALUES ('1', 'k', '/', '', 1)"
    await database.write(lambda connection: connection.execute(sql).rowcount)
    await answers.delete(kept())
    await answers.end(kept(status="completed", answer={}), SAID, 2.0)
    for table in ("answers", "kept_items", "kept_media", "requests"):
        assert await database.read(f"SELECT * FROM {table}") == []


async def test_a_chain_has_the_responses_before_the_oldest_first(database: Database) -> None:
    answers = Answers(database, "here")
    for number in range(1, 5):
        await answers.begin(kept(number, previous=f"resp_{number - 1}" if number > 1 else None), Content())
    assert [one.id for one in await answers.chain("acme", "resp_3", 9)] == ["resp_1", "resp_2", "resp_3"]
    assert [one.id for one in await answers.chain("acme", "resp_4", 2)] == ["resp_3", "resp_4"]
    assert await answers.chain("globex", "resp_3", 9) == await answers.chain("acme", "resp_9", 9) == []


async def test_a_conversation_gets_what_was_asked_and_said_once_in_its_order(database: Database) -> None:
    answers, conversations = Answers(database, "here"), Conversations(database)
    for _ in range(2):
        await conversations.create(TALK, Content([Item("msg_0", "{}")]))
    assert await conversations.find("acme", "conv_1") == TALK
    assert await conversations.find("globex", "conv_1") is None
    talked = kept(conversation="conv_1")
    await answers.begin(talked, ASKED)
    assert [found.id async for found in answers.open(conversation="conv_1")] == ["resp_1"]
    assert [found.id async for found in answers.open(conversation="conv_2")] == []
    for _ in range(2):
        await answers.end(replace(talked, status="completed", answer={}), SAID, 5.0)
    await answers.delete(talked)
    more = Content([Item("msg_9", NAMED)], {PICTURE: b"picture"})
    for _ in range(2):
        await conversations.add("conv_1", more, 6.0, check=lambda size: None)
    assert await ids(database, "conv_1") == ["msg_0", "msg_1_in_0", "msg_1_in_1", "msg_1_0", "msg_9"]
    assert await media_of(database, "conv_1", [PICTURE, "bb"]) == {PICTURE: b"picture"}
    size, plain = await size_of(database, ["conv_1"]), Size(5, 2 * len(NAMED) + 3 * len("{}"), 7)
    # Encrypted, it is as large as it stands there.
    assert size == plain or (size.items == 5 and size.text > plain.text and size.media > 7)


async def test_answers_to_come_and_what_is_added_meanwhile_have_room_in_a_conversation_or_are_refused(
    database: Database,
) -> None:
    answers, conversations = Answers(database, "here"), Conversations(database)
    await conversations.create(TALK, Content())

    def check(size: Size) -> None:
        if size.items > 2 * len(ASKED.items) or size.text > 3 * ROOM:
            raise ValueError(f"{size}")

    begun = [kept(number, conversation="conv_1") for number in range(3)]
    results = await asyncio.gather(*(answers.begin(one, ASKED, check) for one in begun), return_exceptions=True)
    assert [isinstance(result, ValueError) for result in results].count(True) == 1
    with pytest.raises(ValueError, match="items=6"):
        await conversations.add("conv_1", ASKED, 2.0, check)
    [first, second] = [one async for one in answers.open(conversation="conv_1")]
    await answers.begin(first, ASKED, check)
    await answers.end(replace(second, status="completed", answer={}), Content(), 3.0)
    await answers.end(replace(first, status="failed", answer={}), Content(), 3.0)
    await conversations.add("conv_1", SAID, 4.0, check)
    assert await ids(database, "conv_1") == [item.id for item in (*ASKED.items, *SAID.items)]


async def test_of_a_conversation_items_go_with_their_media_and_all_goes_with_it(database: Database) -> None:
    conversations = Conversations(database)
    twice = Content([*ASKED.items, Item("msg_2", NAMED)], ASKED.media)
    await conversations.create(TALK, twice)
    assert not await drop_item(database, "conv_1", "msg_3")
    assert await drop_item(database, "conv_1", "msg_2")
    assert await media_of(database, "conv_1", [PICTURE]) == ASKED.media
    assert await drop_item(database, "conv_1", "msg_1_in_0")
    assert (await size_of(database, ["conv_1"])).media == 0
    await conversations.describe("conv_1", {})
    assert await conversations.find("acme", "conv_1") == replace(TALK, metadata={})
    await conversations.delete("conv_1")
    await conversations.add("conv_1", SAID, 2.0, check=lambda size: None)
    assert await conversations.find("acme", "conv_1") is None
    assert await database.read("SELECT * FROM kept_items") == []


class Interrupted:
    """The database, in which something is done after the first reading."""

    def __init__(self, database: Database, work: Callable[[], Awaitable[None]]) -> None:
        self.write = database.write
        self.aclose = database.aclose
        self._database = database
        self._work: Callable[[], Awaitable[None]] | None = work

    async def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        rows = await self._database.read(sql, parameters)
        if (work := self._work) is not None:
            self._work = None
            await work()
        return rows


async def test_a_medium_that_is_named_anew_while_its_item_is_deleted_stays(database: Database) -> None:
    conversations = Conversations(database)
    await conversations.create(TALK, ASKED)
    more = Content([Item("msg_2", NAMED)], ASKED.media)
    interrupted = Interrupted(database, partial(conversations.add, "conv_1", more, 2.0, lambda size: None))
    assert await drop_item(interrupted, "conv_1", "msg_1_in_0")
    assert await ids(database, "conv_1") == ["msg_1_in_1", "msg_2"]
    assert await media_of(database, "conv_1", [PICTURE]) == ASKED.media


async def test_what_failed_is_nothing_that_was_said(database: Database) -> None:
    answers, conversations = Answers(database, "here"), Conversations(database)
    await conversations.create(TALK, Content())
    await answers.begin(kept(conversation="conv_1"), ASKED)
    await answers.end(kept(conversation="conv_1", status="failed", answer={}), Content(), 2.0)
    assert await ids(database, "conv_1") == []


async def test_a_list_is_of_what_is_complete_in_either_order(database: Database) -> None:
    answers = Answers(database, "here")

    async def listed(newest_first: bool, model: str | None = None, after: Kept | None = None) -> list[str]:
        kind: Kind = "completion"
        found = answers.listed("acme", kind, model=model, after=after, newest_first=newest_first)
        return [one.id async for one in found]

    for number in range(1, 5):
        made = kept(number, kind="completion", created=float(number // 2), model=f"m{number % 2}")
        await answers.begin(made, Content())
        if number < 4:
            await answers.end(replace(made, status="completed", answer={}), Content(), 9.0)
    assert await listed(newest_first=False) == ["resp_1", "resp_2", "resp_3"]
    assert await listed(newest_first=True) == ["resp_3", "resp_2", "resp_1"]
    assert await listed(newest_first=True, after=kept(2, created=1.0)) == ["resp_1"]
    assert await listed(newest_first=False, after=kept(2, created=1.0)) == ["resp_3"]
    assert await listed(newest_first=False, model="m1") == ["resp_1", "resp_3"]
    await answers.describe("acme", "completion", "resp_1", {"c": "d"})
    found = await answers.find("acme", "completion", "resp_1")
    assert found is not None
    assert found.metadata == {"c": "d"}


async def test_what_is_old_goes_with_its_content(database: Database) -> None:
    answers, conversations = Answers(database, "here"), Conversations(database)
    await conversations.create(TALK, ASKED)
    for number in range(1, 4):
        await answers.begin(kept(number), ASKED)
    await answers.prune(3.0)
    assert await database.read("SELECT id FROM answers") == [{"id": "resp_3"}]
    assert {row["owner"] for row in await database.read("SELECT owner FROM kept_media")} == {"resp_3", "conv_1"}
    await conversations.prune(1.0)
    assert await conversations.find("acme", "conv_1") is not None
    await conversations.prune(1.5)
    assert {row["owner"] for row in await database.read("SELECT owner FROM kept_items")} == {"resp_3"}
