"""Who waits for the run of a request, on each store, whichever process it came by."""

from continuo.stores.database import Database
from continuo.stores.requests import Known, Received, Requests
from continuo.stores.waiters import KEPT, LEASE, Waiter

REPEATED = Received("key", "/v1/messages", "sha", retried=True)


async def waiting(requests: Requests, now: float) -> tuple[Known, Waiter]:
    known = await requests.known(REPEATED, now, waits=True)
    assert known.waiter is not None
    return known, known.waiter


async def test_a_request_is_abandoned_when_the_last_of_those_leaves_who_wait_for_it(database: Database) -> None:
    here, there = Requests(database), Requests(database)
    first, one = await waiting(here, 1.0)
    second, other = await waiting(there, 2.0)
    joined = await there.join(first, 2.0)
    assert first.id == second.id == joined.id
    assert joined.waiter is not None
    standing = [await here.leave(waiter, 3.0) for waiter in (one, other, joined.waiter, joined.waiter)]
    assert standing == ["waited_for", "waited_for", "abandoned", "abandoned"]
    again, _ = await waiting(there, 4.0)
    assert (again.id, again.abandoned) == (first.id, True)


async def test_a_process_that_died_leaves_nobody_who_waits(database: Database) -> None:
    requests = Requests(database)
    _, dead = await waiting(requests, 0.0)
    _, alive = await waiting(requests, 0.0)
    _, third = await waiting(requests, 0.0)
    await requests.renew([alive], LEASE / 2)
    assert await requests.leave(third, LEASE + 1) == "waited_for"
    assert await requests.leave(alive, LEASE + 2) == "abandoned"
    await requests.prune(LEASE + KEPT)
    assert await database.read("SELECT waiter FROM waiters WHERE waiter = ?", (dead.id,)) == []


async def test_who_could_not_say_for_a_while_that_it_waits_is_counted_again(database: Database) -> None:
    requests = Requests(database)
    _, late = await waiting(requests, 0.0)
    await requests.prune(LEASE + 1)
    await requests.renew([late], LEASE + 2)
    _, other = await waiting(requests, LEASE + 3)
    assert await requests.leave(other, LEASE + 4) == "waited_for"


async def test_who_has_an_answer_or_an_error_waits_no_more(database: Database) -> None:
    requests = Requests(database)
    first, one = await waiting(requests, 0.0)
    await requests.answered(one)
    second, _ = await waiting(requests, 1.0)
    third, last = await waiting(requests, 1.0)
    await requests.delivered(second)
    assert await requests.leave(last, 2.0) == "delivered"
    assert first.id == second.id == third.id
    assert (await waiting(requests, 3.0))[0].id != first.id


async def test_whether_its_run_goes_on_is_what_was_said_first(database: Database) -> None:
    requests = Requests(database)
    left = await requests.known(REPEATED, 1.0)
    again = await requests.known(REPEATED, 2.0, waits=True)
    assert (left.goes_on, again) == (True, left)
    other = await requests.known(Received("key", "/v1/messages", "other"), 1.0, waits=True)
    found = [await requests.find(known.id, "key", "/v1/messages") for known in (left, other)]
    assert [known and known.goes_on for known in found] == [True, False]


async def test_whom_nobody_counts_neither_waits_nor_leaves(database: Database) -> None:
    requests = Requests(database)
    for received in (REPEATED, Received("key", "/v1/jobs", "sha", key="once")):
        assert (await requests.known(received, 1.0)).waiter is None
    assert (await requests.known(Received("key", "/v1/jobs", "sha", key="once"), 1.0, waits=True)).waiter is None
    assert await database.read("SELECT * FROM waiters") == []
