"""The audit's chains: whatever is done to a row is found, on each store, and nothing of a person is in them."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.jobs import Context, Failure, Job, Outcome, Verdict
from continuo.messages import Message, ModelRequest
from continuo.operations.audit import (
    START,
    Broken,
    Chain,
    Entry,
    Head,
    Link,
    Seen,
    Verification,
    asked_of,
    linked,
)
from continuo.patterns import Call
from continuo.stores.audit import chains, drop_person, enter, links, name_of, of_runs, prune, verified
from continuo.stores.database import Connection, Database
from continuo.stores.runs import Runs
from tests.continuo.stores.test_runs import BEGAN, PAID, done, row

JOB = Job(
    step=Call(model="m"),
    context=Context(tenant="acme", user="zoe", pattern="support"),
    request=ModelRequest(messages=(Message(role="user", content="Where is my order?"),)),
)
ANSWER = Outcome(text="It is on its way.", served_by="model", model="m", calls=(PAID,))


def entry(run: str = "r1", at: float = 0, **fields: object) -> Entry:
    values = {"event": "ended", "time": BEGAN + timedelta(seconds=at), "tenant": "acme", "run": run, "user": "zoe"}
    return Entry.model_validate({**values, **fields})


async def entered(database: Database, *entries: Entry) -> None:
    await database.write(lambda connection: enter(connection, entries))


async def all_of(database: Database, tenant: str = "acme") -> list[Link]:
    return [link async for link in links(database, tenant)]


async def changed(database: Database, *statements: str) -> None:
    def write(connection: Connection) -> None:
        for sql in statements:
            connection.execute(sql)

    await database.write(write)


async def test_an_event_of_a_run_is_entered_once_however_often_it_is_seen(database: Database) -> None:
    seen = Seen(done("r1", user="zoe").with_result(ANSWER), asked_of(JOB), ANSWER)
    for _ in range(2):
        await Runs(database, "here").keep([seen.row], seen.entries)
    began, ended = [json.loads(link.entry) for link in await all_of(database)]
    assert (began["event"], ended["event"], ended["models"]) == ("began", "ended", ["m"])
    assert ended["input"]["length"] == len(JOB.request.model_dump_json(exclude_defaults=True) + "{}")
    assert ended["output"]["length"] == len(ANSWER.text)
    assert ended["cost_nanousd"] == 250_000_000
    assert await verified(database, "acme") == 2
    assert await Runs(database, "here").ended_since(BEGAN) == {"r1"}


async def test_a_run_whose_end_is_not_entered_is_looked_at_again(database: Database) -> None:
    await Runs(database, "here").keep([done("r1")])
    assert await Runs(database, "here").ended_since(BEGAN) == set()


async def test_no_name_and_no_digest_of_a_text_alone_is_in_a_row(database: Database) -> None:
    verdict = Verdict(reviewer="grace", decision="approve", note="fine", time=BEGAN)
    answer = ANSWER.model_copy(update={"verdict": verdict})
    failure = Failure(type="Broken", message="zoe lives here")
    ends: tuple[Outcome | Failure, ...] = (answer, failure)
    seen = [Seen(done(f"r{n}", user="zoe"), asked_of(JOB), end) for n, end in enumerate(ends)]
    await entered(database, *(each for one in seen for each in one.entries))
    text = "".join(link.entry for link in await all_of(database))
    asked = asked_of(JOB).input.sha256
    for word in ("zoe", "grace", "lives", "fine", "order", asked):
        assert word not in text
    values = [json.loads(link.entry) for link in await all_of(database)]
    assert len({one["user"] for one in values}) == 1
    assert len({one["input"]["sha256"] for one in values}) == 1
    assert await name_of(database, "acme", values[1]["reviewer"]) == "grace"
    assert await name_of(database, "globex", values[1]["reviewer"]) is None
    assert values[3]["error"] == "Broken"


async def test_who_is_forgotten_is_in_no_row_and_the_chain_is_whole(database: Database) -> None:
    await entered(database, entry("r1", input=asked_of(JOB).input), entry("r2", user="bob"))
    one, other = [json.loads(link.entry)["user"] for link in await all_of(database)]
    before = (await chains(database))[0]
    kept = [Head(tenant="acme", seq=before.seq, hash=before.hash)]
    for dropped in (True, False):
        assert await database.write(lambda connection: drop_person(connection, "acme", "zoe")) is dropped
    assert [await name_of(database, "acme", name) for name in (one, other)] == [None, "bob"]
    assert await verified(database, "acme", kept) == 3
    await entered(database, entry("r3", input=asked_of(JOB).input))
    again = json.loads((await all_of(database))[-1].entry)
    assert again["user"] != one
    assert again["input"] != json.loads((await all_of(database))[0].entry)["input"]


TAMPERED = {
    "a changed entry": ("UPDATE audit SET entry = replace(entry, 'ended', 'begun') WHERE seq = 3", 3, "changed"),
    "a changed column": ("UPDATE audit SET run = 'r9' WHERE seq = 3", 3, "changed"),
    "a missing row": ("DELETE FROM audit WHERE seq = 3", 3, "it is missing"),
    "a missing first row": ("DELETE FROM audit WHERE seq = 1", 1, "it is missing"),
    "a missing end": ("DELETE FROM audit WHERE seq > 4", 5, "with all behind it"),
    "everything missing": ("DELETE FROM audit", 1, "with all behind it"),
    "no entry": ("UPDATE audit SET entry = '[]' WHERE seq = 2", 2, "it is no entry"),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_was_done_to_a_row_is_told_with_its_number(database: Database, what: str) -> None:
    await entered(database, *(entry(f"r{number}") for number in range(6)))
    sql, number, why = TAMPERED[what]
    await changed(database, sql)
    broken = await verified(database, "acme")
    assert isinstance(broken, Broken)
    assert (broken.row, why in broken.why) == (number, True), broken


async def test_rows_in_each_others_places_and_a_row_of_another_chain_are_told(database: Database) -> None:
    await entered(database, *(entry(f"r{number}") for number in range(3)), entry("r9", tenant="globex"))
    swap = "UPDATE audit SET seq = {} WHERE seq = {} AND tenant = 'acme'"
    await changed(database, *(swap.format(*pair) for pair in ((9, 2), (2, 3), (3, 9))))
    assert await verified(database, "acme") == Broken(
        tenant="acme", row=2, why="it was moved here: it was row 3 of acme"
    )
    await changed(
        database,
        "DELETE FROM audit WHERE tenant = 'globex'",
        "UPDATE audit SET tenant = 'globex', seq = 1 WHERE tenant = 'acme' AND seq = 1",
    )
    moved = Broken(tenant="globex", row=1, why="it was moved here: it was row 1 of acme")
    assert await verified(database, "globex") == moved


async def test_a_chain_that_was_written_anew_is_told_by_a_head_that_was_kept_elsewhere(database: Database) -> None:
    await entered(database, *(entry(f"r{number}") for number in range(4)))
    chain = (await chains(database))[0]
    head = Head(tenant="acme", seq=chain.seq, hash=chain.hash)
    await changed(database, "DELETE FROM audit", "DELETE FROM audit_chains")
    assert await verified(database, "acme") == 0
    gone = await verified(database, "acme", [head])
    assert isinstance(gone, Broken)
    await entered(database, *(entry(f"x{number}") for number in range(5)))
    assert await verified(database, "acme") == 5
    other = await verified(database, "acme", [head])
    assert isinstance(other, Broken)
    assert (other.row, "kept elsewhere" in other.why) == (4, True)


async def test_what_is_old_is_cut_off_and_the_rest_is_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.stores.audit.PORTION", 2)
    # Rows are not in the order of their times: one of those before a younger one stays until that goes too.
    await entered(database, *(entry(f"r{at}", at) for at in (0, 1, 2, 9, 3, 10)))
    heads = [Head(tenant="acme", seq=link.seq, hash=link.hash) for link in await all_of(database)]
    before = BEGAN + timedelta(seconds=5)
    assert await prune(database, "acme", before, dry_run=True) == 3
    assert await prune(database, "acme", before, dry_run=False) == 3
    assert await prune(database, "acme", before, dry_run=False) == 0
    assert await prune(database, "globex", before, dry_run=False) == 0
    assert [link.run for link in await all_of(database)] == ["r9", "r3", "r10", None]
    assert await verified(database, "acme", heads) == 4
    # What was pruned is not entered again, whoever looks at the run once more.
    await entered(database, entry("r0", 0), entry("r11", 11))
    assert [link.run for link in await all_of(database)][3:] == [None, "r11"]
    await changed(database, "DELETE FROM audit WHERE seq = 4", "UPDATE audit_chains SET pruned = 4")
    broken = await verified(database, "acme")
    assert isinstance(broken, Broken)
    far = datetime.now(UTC) + timedelta(days=1)
    assert await prune(database, "acme", far, dry_run=True) == 4


async def test_all_of_a_chain_may_be_old(database: Database) -> None:
    await entered(database, entry("r1"), entry("r2"))
    assert await prune(database, "acme", BEGAN + timedelta(days=1), dry_run=False) == 2
    assert [link.event for link in await all_of(database)] == ["pruned"]
    assert await verified(database, "acme") == 1


async def test_many_who_enter_at_once_make_one_chain_of_each_tenant(database: Database) -> None:
    def some(number: int) -> list[Entry]:
        return [entry(f"{tenant}.{number}.{n}", tenant=tenant) for n in range(4) for tenant in ("globex", "acme")]

    await asyncio.gather(*(entered(database, *some(number)) for number in range(12)))
    assert [await verified(database, tenant) for tenant in ("acme", "globex")] == [48, 48]
    found = await of_runs(database, ["acme.3.1", "globex.5.2"])
    assert sorted((link.tenant, link.run) for link in found) == [
        ("acme", "acme.3.1"), ("globex", "globex.5.2"),
    ]  # fmt: skip


def chain_of(count: int) -> tuple[Chain, list[Link]]:
    links, last = list[Link](), START
    for number in range(1, count + 1):
        links.append(linked(entry(f"r{number}", user=None), number, last))
        last = links[-1].hash
    return Chain(tenant="acme", seq=count, hash=last), links


def broken(chain: Chain, rows: Sequence[Link]) -> Broken | None:
    verification = Verification(chain)
    return next((wrong for row in rows if (wrong := verification.broken_at(row))), None) or verification.broken_end()


@given(data=st.data(), count=st.integers(1, 8))
def test_any_row_that_is_changed_removed_or_moved_is_found_where_it_is(data: st.DataObject, count: int) -> None:
    chain, rows = chain_of(count)
    assert broken(chain, rows) is None
    at = data.draw(st.integers(0, count - 1))
    match data.draw(st.sampled_from(["change", "remove", "swap", "renumber", "double"])):
        case "change":
            name = data.draw(st.sampled_from(["tenant", "seq", "time", "run", "event", "entry", "hash"]))
            value = getattr(rows[at], name)
            other = value + 1 if isinstance(value, int) else f"{value[:-1]}{'x' if value[-1] != 'x' else 'y'}"
            rows[at] = Link(**{**rows[at]._asdict(), name: other})
        case "remove":
            del rows[at]
        case "swap":
            to = data.draw(st.integers(0, count - 1).filter(lambda to: to != at or count == 1))
            rows[at], rows[to] = rows[to]._replace(seq=at + 1), rows[at]._replace(seq=to + 1)
            at = min(at, to)
            if count == 1:
                return
        case "renumber":
            del rows[at]
            rows[at:] = [row._replace(seq=row.seq - 1) for row in rows[at:]]
        case "double":
            rows.insert(at, rows[at])
            at += 1
    wrong = broken(chain, rows)
    assert wrong is not None
    assert wrong.row == at + 1


def test_a_run_that_only_began_has_no_end_and_one_that_is_lost_says_so() -> None:
    assert [one.event for one in Seen(row()).entries] == ["began"]
    assert [one.event for one in Seen(row(status="forgotten")).entries] == ["lost"]
