"""What waits for a person outlives every worker, and what a person has decided is decided."""

import asyncio
from datetime import timedelta

import pytest

from continuo.authoring.library import Library
from continuo.decisions.review import Case, Decision
from continuo.door import Door
from continuo.door.reviews import Refused, case_of, claim, decide
from continuo.door.runs import result
from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.patterns import Review
from continuo.testing.processes import begin, job, kill
from tests.support.world import World
from tests.workflows.test_review import opened

pytestmark = pytest.mark.chaos


async def test_reviews_survive_killed_workers_and_are_decided_once_by_one_of_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"person-{number}" for number in range(4)]
    pool = await world.pool()
    handles = [await begin(world.client, job(Review(question="Publish it?"), f"text {number}")) for number in range(3)]
    cases = [await opened(handle) for handle in handles]
    await claim(world.client, cases[0], people[0], 60)
    await kill(pool)
    monkeypatch.setattr("continuo.door.reviews.PATIENCE", timedelta(seconds=2))
    with pytest.raises(InputError, match="no pool answers"):
        await case_of(world.client, cases[0].id)
    pool = await world.pool()
    # A pool that has just begun may have much to read again.
    monkeypatch.setattr("continuo.door.reviews.PATIENCE", timedelta(seconds=90))
    kept = await opened(handles[0])
    assert (kept.shown, kept.claim and kept.claim.by) == (cases[0].shown, people[0])

    door = Door(world.client, Library())

    async def decided(case: Case, by: str) -> str | None:
        try:
            return (await decide(door, case, Decision(decision="approve", by=by, shown=case.shown))).id and by
        except Refused:
            return None

    for handle, case in zip(handles, cases, strict=True):
        winners = [by for by in await asyncio.gather(*(decided(case, by) for by in people)) if by]
        assert len(winners) == 1
        if case is cases[0]:
            assert winners == [people[0]]
        if case is cases[1]:
            await kill(pool)
            pool = await world.pool()
        end = await result(handle)
        assert isinstance(end, Outcome)
        assert (end.text, end.verdict and end.verdict.reviewer) == (case.text, winners[0])
