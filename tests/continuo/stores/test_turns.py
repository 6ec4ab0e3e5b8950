"""What keeps the turns of agents, in a file and in PostgreSQL."""

from collections.abc import Sequence

import pytest

from continuo.messages import Message, ToolCall
from continuo.stores.database import Database
from continuo.stores.payloads import FRESH
from continuo.stores.turns import Conversation, MissingTurn, Turn, Turns

TALK = Conversation(tenant="acme", pattern="research", id="talk")


def said(*texts: str) -> list[Message]:
    return [Message(role="user", content=text) for text in texts]


async def chain(turns: Turns, *texts: str, now: float = 0.0, parent: str | None = None) -> list[Turn]:
    made: list[Turn] = []
    for text in texts:
        made.append(await turns.add(made[-1].digest if made else parent, said(text), now))
    return made


async def texts(turns: Turns, digest: str, now: float = 0.0, last: int | None = None) -> Sequence[str]:
    return [message.text for message in await turns.messages(digest, now, last)]


async def test_one_digest_stands_for_all_that_was_said_until_then(large: Database) -> None:
    turns = Turns(large, "here")
    a, b, c = await chain(turns, "a", "b", "c")
    assert await texts(turns, c.digest) == ["a", "b", "c"]
    assert await texts(turns, c.digest, last=2) == ["b", "c"]
    assert await texts(turns, b.digest) == ["a", "b"]
    assert (a.depth, c.depth, c.tokens > b.tokens) == (1, 3, True)
    other = await turns.add(b.digest, said("d"), 0)
    assert await texts(turns, other.digest) == ["a", "b", "d"]


async def test_the_same_turn_is_kept_once_and_comes_back_as_it_was(large: Database) -> None:
    turns = Turns(large, "here")
    call = ToolCall(id="1", name="weather", arguments='{"city": "Zürich\\u0000"}', signature="s")
    messages = [Message(role="assistant", tool_calls=(call,)), Message(role="tool", tool_call_id="1", content="☔\0")]
    one, two = await turns.add(None, messages, 0), await turns.add(None, messages, 1)
    assert one == two
    assert await turns.messages(one.digest, 0) == messages
    assert len(await large.read("SELECT digest FROM turns")) == 1


async def test_a_turn_of_another_namespace_or_none_is_missing(large: Database) -> None:
    [there] = await chain(Turns(large, "there"), "a")
    here = Turns(large, "here")
    with pytest.raises(MissingTurn):
        await here.messages(there.digest, 0)
    with pytest.raises(MissingTurn):
        await here.add(there.digest, said("b"), 0)


async def test_a_conversation_ends_with_what_was_added_to_it_last(large: Database) -> None:
    turns = Turns(large, "here")
    assert await turns.last(TALK) is None
    first = await turns.add(None, said("a"), 0, TALK)
    second = await turns.add(first.digest, said("b"), 0, TALK)
    assert await turns.last(TALK) == second
    for other in ({"tenant": "other"}, {"pattern": "other"}, {"id": "other"}):
        assert await turns.last(TALK.model_copy(update=other)) is None


async def test_what_is_old_goes_but_not_what_stands_before_a_turn_that_stays(large: Database) -> None:
    turns = Turns(large, "here")
    a, b, c = await chain(turns, "a", "b", "c")
    young = await turns.add(b.digest, said("d"), 10)
    await chain(turns, "x", "y", "z")
    needed = (await chain(turns, "k", "l", "m"))[1]
    await turns.add(None, said("old talk"), 0, TALK)
    await chain(Turns(large, "there"), "a")
    for dry_run in (True, False):
        # c, x to z, m, and the turn of the conversation
        assert await turns.prune(5, {needed.digest}.__contains__, dry_run=dry_run) == 6
    assert await turns.prune(5, {needed.digest}.__contains__, dry_run=False) == 0
    assert await texts(turns, young.digest) == ["a", "b", "d"]
    assert await texts(turns, needed.digest) == ["k", "l"]
    assert await turns.last(TALK) is None
    with pytest.raises(MissingTurn):
        await turns.messages(c.digest, 0)
    assert a.depth == 1


async def test_what_is_read_counts_as_used_with_all_before_it(large: Database) -> None:
    turns = Turns(large, "here")
    *_, last = await chain(turns, "a", "b", "c")
    await turns.messages(last.digest, 2 * FRESH)
    assert await turns.prune(FRESH, lambda name: False, dry_run=False) == 0
    assert await turns.prune(3 * FRESH, lambda name: False, dry_run=False) == 3
