"""What keeps large payloads, in a file and in PostgreSQL."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from continuo.config.settings import Settings
from continuo.stores import pruning
from continuo.stores.database import Database
from continuo.stores.migrations import PAYLOADS
from continuo.stores.opened import opened_payloads
from continuo.stores.payloads import FRESH, Payloads, find
from continuo.stores.pruning import PORTION, payloads, prune
from continuo.stores.sqlite.database import Sqlite


async def pruned(large: Database, before: float, *needed: str, namespace: str = "here", dry_run: bool = False) -> int:
    return await prune(large, payloads(namespace), before, needed.__contains__, dry_run=dry_run)


async def test_what_is_kept_is_found_byte_for_byte_and_by_another_process(
    large: Database, store_environ: dict[str, str], tmp_path: Path
) -> None:
    contents = {"nothing": b"", "zeros": b"\0" * 10, "much": os.urandom(3_000_000)}
    await Payloads(large, "here").keep(contents, 0)
    async with opened_payloads(Settings(data=tmp_path), store_environ) as other:
        assert {name: await find(other, name) for name in contents} == contents
        assert await find(other, "missing") is None


async def test_only_what_is_old_and_not_needed_goes(large: Database) -> None:
    here = Payloads(large, "here")
    await here.keep({"old": b"1", "needed": b"2"}, 0)
    await here.keep({"new": b"3"}, 10)
    assert await pruned(large, 10, "needed", dry_run=True) == 1
    assert await find(large, "old") == b"1"
    assert await pruned(large, 10, "needed") == 1
    assert [await find(large, name) for name in ("old", "needed", "new")] == [None, b"2", b"3"]


@pytest.mark.parametrize("again", ["stored", "read"])
async def test_what_is_used_again_counts_from_then(large: Database, again: str) -> None:
    here = Payloads(large, "here")
    await here.keep({"a": b"a"}, 0)
    await (here.keep({"a": b"a"}, 2 * FRESH) if again == "stored" else here.use("a", 2 * FRESH))
    assert await pruned(large, FRESH) == 0
    assert await pruned(large, 2 * FRESH + 1) == 1


async def test_a_namespace_never_drops_what_another_one_uses(large: Database) -> None:
    await Payloads(large, "there").keep({"a": b"a"}, 0)
    assert await Payloads(large, "here").use("a", 0) == b"a"
    assert await pruned(large, 1, namespace="there") == 1
    assert await Payloads(large, "here").use("a", 0) == b"a"


async def test_many_go_in_portions_while_others_write(large: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PAUSE", 0)
    here, count = Payloads(large, "here"), 3 * PORTION + 1
    await here.keep({f"old-{n}": b"x" for n in range(count)}, 0)
    await here.keep({f"late-{n}": b"x" for n in range(50)}, 0)
    results = await asyncio.gather(
        pruned(large, 1, *(f"late-{n}" for n in range(50))),
        *(here.keep({f"new-{n}": b"y", f"late-{n}": b"x"}, 2 * FRESH) for n in range(50)),
    )
    assert results[0] == count
    left = await large.read("SELECT sha256 FROM payloads")
    assert {row["sha256"] for row in left} == {f"{kind}-{n}" for kind in ("new", "late") for n in range(50)}


async def test_a_dropped_payload_that_is_stored_meanwhile_is_there_in_the_end(large: Database) -> None:
    """Whoever is first, and however often they meet."""
    here = Payloads(large, "here")
    for turn in range(20):
        now = turn * 10 * FRESH
        await asyncio.gather(pruned(large, now), here.keep({"a": b"a"}, now), pruned(large, now))
        assert await find(large, "a") == b"a"


class Uses(RuleBasedStateMachine):
    """Any mix of uses by two namespaces and of pruning, beside a dictionary of when each was used last."""

    names = st.sampled_from("abcd")
    namespaces = st.sampled_from(["here", "there"])

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.large = Sqlite(folder / "payloads.db", PAYLOADS)
        self.used: dict[tuple[str, str], float] = {}
        self.now = 0.0
        self.run(self.large.write(lambda connection: connection.execute("DELETE FROM payloads").rowcount))

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @rule(seconds=st.floats(0, 3 * FRESH))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(name=names, namespace=namespaces)
    def keep(self, name: str, namespace: str) -> None:
        self.run(Payloads(self.large, namespace).keep({name: name.encode()}, self.now))
        self.used[namespace, name] = self.now

    @rule(name=names, namespace=namespaces)
    def use(self, name: str, namespace: str) -> None:
        if self.run(Payloads(self.large, namespace).use(name, self.now)) is not None:
            self.used[namespace, name] = self.now

    @rule(namespace=namespaces, age=st.floats(0, 5 * FRESH), needed=st.sets(names))
    def prune(self, namespace: str, age: float, needed: set[str]) -> None:
        before = self.now - age
        self.run(pruned(self.large, before, *needed, namespace=namespace))
        rows = self.run(self.large.read("SELECT sha256 FROM payloads WHERE namespace = ?", (namespace,)))
        left = {row["sha256"] for row in rows}
        for where, name in [key for key in self.used if key[0] == namespace]:
            used = self.used[where, name]
            if name in left:
                assert name in needed or used >= before
            else:
                assert name not in needed
                assert used - FRESH < before
                del self.used[where, name]

    @invariant()
    def whatever_is_kept_is_found(self) -> None:
        for _, name in self.used:
            assert self.run(find(self.large, name)) == name.encode()

    def teardown(self) -> None:
        self.run(self.large.aclose())
        self.loop.close()


def test_nothing_live_is_ever_lost_and_nothing_old_kept(tmp_path: Path) -> None:
    steps = settings(max_examples=20, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(partial(Uses, tmp_path), settings=steps)  # type: ignore[arg-type]
