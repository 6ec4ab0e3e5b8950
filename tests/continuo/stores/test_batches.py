"""The contract of batches, on each store."""

from datetime import date

import pytest

from continuo.jobs import CANCELLED, CallRecord, Context, Failure, Outcome
from continuo.messages import Message, ModelRequest, Usage
from continuo.operations.batches import Ended, Item, Tally, Terms
from continuo.operations.provider_batches import Sent
from continuo.patterns import Template
from continuo.protection.encryption import BYTES, Cipher
from continuo.stores.batches import BatchStore, Taken, prune_batches
from continuo.stores.database import Database
from continuo.stores.ledger import Paid, Settlement
from continuo.stores.provider_batches import SentBatches
from continuo.stores.pruning import PORTION
from continuo.stores.vault import Vault

TERMS = Terms(step=Template(text="Hi."), context=Context(pattern="hi", tenant="acme"), budget_usd=2.5)
PAID = CallRecord(path="", model="m", status="ok", usage=Usage(input_tokens=3), cost_usd=0.25)
UNPRICED = PAID.model_copy(update={"cost_usd": None})


def item(number: int, own: str | None = None) -> Item:
    request = ModelRequest(messages=(Message(role="user", content=f"Question {number}?"),))
    return Item(number=number, own=own, request=request, data={"n": number})


def done(number: int, call: CallRecord = PAID) -> Ended:
    return Ended(number=number, outcome=Outcome(text="Hi.", served_by="model", calls=(call,)))


def failed(number: int, type: str = "timeout") -> Ended:
    return Ended(number=number, failure=Failure(type=type, message="late"))


async def kept(database: Database, count: int = 5) -> BatchStore:
    store = BatchStore(database, "here")
    await store.create("acme", "b", "digest", TERMS)
    await store.add("acme", "b", [item(number) for number in range(1, count + 1)])
    return store


async def test_items_are_read_in_order_in_pages_until_the_last(database: Database) -> None:
    store = await kept(database)
    first = await store.page("acme", "b", 0, 3)
    assert (first.items, first.last) == ((item(1), item(2), item(3)), False)
    rest = await store.page("acme", "b", 3, 3)
    assert (rest.items, rest.last) == ((item(4), item(5)), True)
    begun = await store.begin("acme", "b")
    assert begun is not None
    assert (begun.terms, begun.tally) == (TERMS, Tally(waiting=5))


async def test_an_end_is_kept_and_counted_once_and_what_failed_waits_again(database: Database) -> None:
    store = await kept(database)
    ends = [done(1), failed(2), failed(3, CANCELLED), done(4, UNPRICED)]
    await store.end("acme", "b", ends)
    await store.end("acme", "b", [*ends, failed(1)])
    known = await store.get("acme", "b")
    assert known is not None
    assert known.tally == Tally(waiting=1, done=2, failed=1, cancelled=1, cost_usd=0.25, unpriced=1)
    rows = await store.results("acme", "b", 1, 10)
    assert [(row["number"], row["state"]) for row in rows] == [(2, "failed"), (3, "cancelled"), (4, "done")]
    assert await store.again("acme", "b", ["failed", "cancelled"]) == 2
    assert [one.number for one in (await store.page("acme", "b", 0, 9)).items] == [2, 3, 5]


async def test_an_id_is_that_of_one_item_and_adding_it_again_changes_nothing(database: Database) -> None:
    store = await kept(database, 0)
    for _ in range(2):
        await store.add("acme", "b", [item(1, "x"), item(2)])
    with pytest.raises(Taken) as raised:
        await store.add("acme", "b", [item(3), item(4, "x")])
    assert (raised.value.item.number, raised.value.number) == (4, 1)
    assert len((await store.page("acme", "b", 0, 9)).items) == 2


async def test_a_list_tells_how_each_batch_stands(database: Database) -> None:
    store = await kept(database, 2)
    await store.create("acme", "empty", "digest", TERMS)
    await store.create("acme", "one", "digest", TERMS)
    await store.add("acme", "one", [item(1)])
    standing = {batch.id: batch.tally for batch in await store.listed("acme", 9)}
    assert standing == {"b": Tally(waiting=2), "empty": Tally(), "one": Tally(waiting=1)}


async def test_nobody_sees_the_batches_of_another_tenant_or_namespace(database: Database) -> None:
    store = await kept(database)
    assert await store.get("other", "b") is None
    assert await store.listed("other", 9) == []
    assert await BatchStore(database, "there").listed(None, 9) == []
    assert [batch.id for batch in await store.listed(None, 9)] == ["b"]
    await store.put("acme", "b", "stopped")
    assert [batch.state for batch in await store.listed("acme", 9)] == ["stopped"]
    await store.drop("acme", "b")
    assert await store.get("acme", "b") is None
    assert (await store.page("acme", "b", 0, 9)).items == ()


async def test_what_began_long_ago_goes_with_its_items_unless_it_runs_or_is_planned(database: Database) -> None:
    store = await kept(database, 3 * PORTION)
    await store.create("acme", "runs", "digest", TERMS)
    await store.put("acme", "runs", "running")
    await store.create("acme", "schedule:nightly:1", "digest", TERMS)
    await store.put("acme", "schedule:nightly:1", "planned")
    assert await prune_batches(database, "2020", dry_run=False) == 0
    assert await prune_batches(database, "9999", dry_run=True) == 1
    assert await store.get("acme", "b") is not None
    assert await prune_batches(database, "9999", dry_run=False) == 1
    assert [row.id for row in await store.listed("acme", 9)] == ["schedule:nightly:1", "runs"]
    assert await database.read("SELECT number FROM batch_items") == []


def sent(token: str, *, created: float = 5.0, usd: float = 0.5) -> Sent:
    unanswered = CallRecord(path="", model="m", status="lost", cost_usd=usd)
    return Sent(token=token, provider="p", model="m", first=1, last=4, items=4, created=created, unanswered=unanswered)


async def test_with_a_batch_goes_what_its_placeholders_stand_for(database: Database) -> None:
    store, vault = await kept(database), Vault(database, Cipher({"key": b"k" * BYTES}))
    for tenant, owner in (("acme", "b"), ("acme", "c"), ("globex", "b")):
        await vault.keep(tenant, owner, {"<EMAIL_1>": "ann@example.org"}, 1.0)
    await store.drop("acme", "b")
    left = [await vault.values(tenant, owner) for tenant, owner in (("acme", "b"), ("acme", "c"), ("globex", "b"))]
    assert left == [{}, *[{"<EMAIL_1>": "ann@example.org"}] * 2]


async def test_what_is_sent_to_a_provider_is_under_way_with_its_money_until_it_ends(database: Database) -> None:
    await kept(database)
    store = SentBatches(database, "here")
    await store.intend("acme", "b", sent("t2", created=6.0))
    await store.intend("acme", "b", sent("t1"))
    await store.intend("acme", "b", sent("t1", usd=0.25))
    await store.taken("t1", "batch_1")
    assert await store.under_way("acme", "b") == [
        sent("t1", usd=0.25).model_copy(update={"remote": "batch_1"}),
        sent("t2", created=6.0),
    ]
    assert (await store.usd("acme", "b"), await store.known(0.0), await store.known(7.0)) == (0.75, ["batch_1"], [])
    assert await SentBatches(database, "there").under_way("acme", "b") == []
    await store.forget("t2")
    await store.end("t1", 0.125)
    assert (await store.under_way("acme", "b"), await store.usd("acme", "b")) == ([], 0.125)
    await BatchStore(database, "here").drop("acme", "b")
    assert await store.usd("acme", "b") == 0.0


async def test_an_end_and_what_it_cost_are_kept_together_and_once(database: Database) -> None:
    store = await kept(database)
    paid = Paid(record=PAID.model_copy(update={"provider": "p"}), context=TERMS.context)
    end = done(2)
    settlement = Settlement(identity="t/2", attempt=1, today=date(2026, 11, 27), paid=paid, outcome=end.outcome)
    for _ in range(2):
        await store.end("acme", "b", [end], [settlement])
    [row] = await database.read("SELECT identity, cost_nanousd FROM ledger")
    assert (row["identity"], row["cost_nanousd"]) == ("t/2", 250_000_000)
    assert [one.number for one in await store.items("acme", "b", [1, 2, 3, 99])] == [1, 3]
    assert await store.waiting("acme", "b", 2, 4) == [3, 4]
