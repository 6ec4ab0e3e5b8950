"""Of whom the stores forget nothing is left in them, and what others need stays; on each store."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.jobs import Context
from continuo.messages import Message
from continuo.operations.audit import Seen
from continuo.operations.forgetting import Part
from continuo.protection.encryption import BYTES, Cipher
from continuo.stores.audit import verified
from continuo.stores.database import Database
from continuo.stores.forgetting import Forgetting, Traces, before, trace
from continuo.stores.journal import Journal
from continuo.stores.payloads import Payloads
from continuo.stores.ratings import rate
from continuo.stores.runs import Runs
from continuo.stores.turns import Conversation, Turns
from continuo.stores.vault import Vault
from tests.continuo.stores.test_journal import TODAY, outcome
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import done
from tests.support.stores import ledger, record

ADA, BOB, SHARED, BUSY = (f"{number}" * 36 for number in range(4))
NOW = datetime.now(UTC).timestamp()


async def lived(store: Database, large: Database, name: str) -> None:
    """Two users of one tenant, who sent one and the same picture; and a run of the first one that goes on."""
    vault = Vault(store, Cipher({"key": b"k" * BYTES}))
    for run, user in ((ADA, name), (BOB, "bob"), (BUSY, name)):
        row = done(run, workflow_id=f"talk//acme/{run[:1]}", pattern="talk", user=user)
        await Runs(store, "here").keep([row], Seen(row).entries)
        await record(Journal(store), f"{run}/1", outcome(), Context(tenant="acme", user=user, pattern="talk"), TODAY)
        payloads, turns = Payloads(large, "here"), Turns(large, "here")
        await payloads.keep({run: b"own", SHARED: b"a picture"}, NOW, f"{row.workflow_id}.step")
        await vault.keep("acme", row.workflow_id, {"<EMAIL_1>": user}, NOW)
        said = (Message(role="user", content=f"{user} {run}"),)
        talk = Conversation(tenant="acme", pattern="talk", id=run[:1])
        await turns.add(None, said, NOW, talk, row.workflow_id)
    await rate(store, [rating(run, rater=rater) for run in (ADA, BOB, BUSY) for rater in (name, "bob")])


def traces(tenant: str | None = None) -> Traces:
    return Traces(user="ada", tenant=tenant, pseudonym="1f0c", busy={BUSY})


async def forgotten(store: Database, large: Database, of: Traces, *, dry_run: bool = False) -> dict[Part, int]:
    await trace(store, of)
    forgetting = Forgetting(store, large, "here", of, dry_run=dry_run)
    await forgetting.widen()
    await forgetting.spare(set())
    return {**await forgetting.by_run(), **await forgetting.by_name()}


@pytest.mark.parametrize("name", ["ada", "email-1f0c"])
async def test_a_users_rows_go_and_those_of_others_and_of_what_goes_on_stay(
    database: Database, large: Database, name: str
) -> None:
    await lived(database, large, name)
    # What was called just now may be of a run that Temporal does not list yet.
    old = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    await database.write(lambda connection: connection.execute("UPDATE ledger SET time = ?", (old,)).rowcount)
    assert not any((await forgotten(database, large, traces("globex"))).values())
    counted = await forgotten(database, large, traces(), dry_run=True)
    counts = {name: count for name, count in counted.items() if count}
    assert counts == {
        "journal": 1,
        "vault": 1,
        "turns": 1,
        "payloads": 1,
        "runs": 1,
        "ratings": 4,
        "ledger": 2,
        "audit": 1,
    }
    assert await forgotten(database, large, traces()) == counted
    left = {row["run_id"]: row["user"] for row in await database.read("SELECT * FROM runs")}
    assert left == {BOB: "bob", BUSY: name}
    said = [(row["run_id"], row["rater"]) for row in await database.read("SELECT * FROM ratings ORDER BY run_id")]
    assert said == [(BOB, "bob"), (BUSY, "bob")]
    assert {row["identity"] for row in await database.read("SELECT * FROM journal")} == {f"{BOB}/1", f"{BUSY}/1"}
    assert sorted(row["user"] or "" for row in await ledger(database)) == ["", "", "bob"]
    kept = await large.read("SELECT sha256 FROM payloads ORDER BY sha256")
    assert [row["sha256"] for row in kept] == [BOB, SHARED, BUSY]
    talks = await large.read("SELECT id FROM agent_conversations ORDER BY id")
    assert [row["id"] for row in talks] == ["1", "3"]
    assert len(await large.read("SELECT digest FROM turns")) == 2
    assert await verified(database, "acme") == 7


PARENTS = st.dictionaries(st.sampled_from("abcdefgh"), st.one_of(st.none(), st.sampled_from("abcdefgh")))


@given(parents=PARENTS, ends=st.sets(st.sampled_from("abcdefgh")))
def test_a_transcript_is_all_turns_before_its_end(parents: dict[str, str | None], ends: set[str]) -> None:
    turns = before(parents, ends)
    assert ends & parents.keys() <= turns <= parents.keys()
    assert all(parents[turn] in turns or parents[turn] not in parents for turn in turns)


@given(ids=st.sets(st.text("ab/.", min_size=1)), owner=st.text("ab/."))
def test_what_is_below_a_run_is_owned_by_it(ids: set[str], owner: str) -> None:
    mine = Traces(user="ada", tenant=None, ids=ids)
    assert mine.owns(owner) == any(owner == id or owner.startswith(f"{id}.") for id in ids)
