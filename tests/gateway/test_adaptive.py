"""An adaptive split on the real server, the simulated provider and feedback over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest
from httpx import AsyncClient
from temporalio.client import Client

from continuo.activities.shifting import Splits
from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Door, Request
from continuo.door.collecting import collect
from continuo.door.shifting import Shifting
from continuo.evaluation.adaptive import Shift, in_force
from continuo.jobs import Context, Outcome
from continuo.operations.shifts import Shifted
from continuo.patterns import Adaptive, Call, Retry, Split, Variant
from continuo.stores.database import Database
from continuo.stores.opened import open_store
from continuo.stores.runs import Runs
from continuo.stores.shifts import shifts
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, until
from tests.support.gateway import GatewayProcess

ONCE = Retry(attempts=1)
WINDOW = 12
"""Requests, within as many of which a variant that turns bad is left."""

ANSWERS = Split(
    variants={name: Variant(step=Call(model=f"sim-{name}", retry=ONCE)) for name in ("mini", "mid")},
    adaptive=Adaptive(floor=0.1, min_quality=0.5, window=WINDOW, least=2),
)
NAME = "adaptive-answers"


async def said(http: AsyncClient, feedback: dict[str, str]) -> bool:
    """Whether it is taken: a run that began just now may not be known yet."""
    return (await http.post("/v1/feedback", json=feedback)).status_code == 200


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    async with aclosing(open_store(Settings(), environment())) as store:
        yield store


async def test_a_variant_that_turns_bad_is_left_within_the_window_and_a_reset_goes_back(
    client: Client, gateway: GatewayProcess, simulator: Control, database: Database
) -> None:
    door, shifting = Door(client, Library()), Shifting(database, NAME, ANSWERS)
    runs, users = Runs(database, (await namespace_of(client)).id), iter(range(1000))

    async def asked_and_rated(count: int) -> list[str]:
        """The variants that answered so many other users, who find a lie bad and all else good."""
        variants = list[str]()
        async with gateway.http() as http:
            for _ in range(count):
                request = Request(pattern=ANSWERS, name=NAME, prompt="Where is it?")
                run = await door.submit(request, Context(tenant="acme", user=f"user-{next(users)}"))
                outcome = await run.result()
                assert isinstance(outcome, Outcome)
                thumb = "down" if outcome.text == "A lie." else "up"
                await until(partial(said, http, {"id": str(outcome.run_id), "thumb": thumb}))
                variants.append(str(outcome.variant))
        await collect(client, runs)
        return variants

    async def shares() -> dict[str, float]:
        last = await shifts(database, NAME)
        return in_force(ANSWERS.weights, last[0] if last else None)

    await shifting.release()
    await shifting.reset()
    await simulator.behave("sim-mid", text="Here.")
    await simulator.behave("sim-mini", text="Here.")
    assert {*await asked_and_rated(WINDOW)} == {"mini", "mid"}
    assert isinstance(await shifting.shift(), Shift)
    # Both are good, so the cheaper one gets the most.
    assert (await shares())["mini"] > 0.8

    await simulator.behave("sim-mini", text="A lie.")
    for _ in range(WINDOW // 4):
        await asked_and_rated(4)
        await shifting.shift()
    assert await shares() == {"mini": pytest.approx(0.1), "mid": pytest.approx(0.9)}
    last, *before = await shifts(database, NAME, 10)
    assert "; below the quality of 0.5 with " in last.shares["mini"].why
    assert (last.action, before[0].action) == ("shift", "shift")

    assert isinstance(await shifting.hold(), Shift)
    assert str(await shifting.shift()).startswith("held since ")
    assert await shifting.hold() == "it is held already"
    assert (await shares())["mini"] == pytest.approx(0.1)
    reset = await shifting.reset()
    assert isinstance(reset, Shift)
    assert (reset.held, await shares()) == (True, ANSWERS.weights)
    assert isinstance(await shifting.release(), Shift)
    assert await shifting.release() == "it is not held"
    assert await shifting.shift() == "waits for ratings: mini has 0 of 2"


@pytest.mark.usefixtures("worker")
async def test_a_pool_shifts_what_is_adaptive_and_says_why_the_rest_stays(
    client: Client, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = "variants: {a: {step: {kind: template, text: a}}, b: {step: {kind: template, text: b}}}"
    for name, pattern in {
        "moves": f"{{kind: split, adaptive: {{}}, {steps}}}",
        "stays": f"{{kind: split, {steps}}}",
        "wrong": "{kind: nothing}",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(f"description: Tried.\npattern: {pattern}\n", encoding="utf-8")
    monkeypatch.setenv("CONTINUO_PATTERNS", str(tmp_path))
    assert await Splits(Library(), database).shift() == Shifted(unchanged={"moves": "waits for ratings: a has 0 of 10"})
    # The session's pools have the shipped patterns, of which none is adaptive.
    result = await client.execute_workflow("ShiftSplits", id="shift-now", task_queue="standard", result_type=Shifted)
    assert result == Shifted()
