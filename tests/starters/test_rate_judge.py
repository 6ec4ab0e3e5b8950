"""`continuo rate judge`: a model rates runs that people may have rated too."""

import json
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings
from continuo.door.collecting import row_of
from continuo.operations.runs import RunQuery
from continuo.patterns import Template
from continuo.starters.commands.rate import agreement
from continuo.stores.opened import open_store
from continuo.stores.ratings import rate, ratings_of
from continuo.stores.runs import Runs, listed
from continuo.testing.processes import Control
from tests.continuo.stores.test_ratings import rating
from tests.starters.test_runs import ran
from tests.support.commands import continuo


@pytest.mark.usefixtures("worker")
async def test_a_judge_rates_each_run_once_and_is_told_apart_from_people(
    client: Client, simulator: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    name, store = f"t-{uuid4().hex[:8]}", open_store(Settings(), {})
    await simulator.behave("sim-premium", text='{"reason": "It says so.", "score": 4}')
    command = ("rate", "judge", "test", "--by", "model:sim-premium", "--sample", "1", "--tenant", name)

    async def answered(text: str) -> None:
        handle = await ran(client, name, Template(text=text))
        row = await row_of(client, await handle.describe())
        assert row is not None
        await Runs(store, "here").keep([row])

    try:
        await answered("It is on its way.")
        await answered("It is lost.")
        first = await continuo(*command, "--priority", "standard")
        assert (first.code, first.out.split(",")[0]) == (0, "rated 2 of 2"), first.err
        asked = [call["body"] for call in await simulator.calls("sim-premium")]
        assert len(asked) == 2
        assert "It is on its way." in json.dumps(asked)
        await answered("It came back.")
        again = await continuo(*command, "--priority", "standard")
        assert (again.code, again.out.split(",")[0]) == (0, "rated 1 of 1"), again.err
        assert len(await simulator.calls("sim-premium")) == 3
        rows = await listed(store, RunQuery(tenant=name))
        said = await ratings_of(store, [row.run_id for row in rows])
        assert [(one.rater, one.source, one.value, one.comment) for one in said] == [
            ("judge model:sim-premium", "judge", 0.75, "It says so.")
        ] * 3
        await rate(store, [rating(rows[0].run_id, tenant=name, value=0.75)])
        assert await agreement(pattern="test") == 0
        assert "model:sim-premium" in capsys.readouterr().out
    finally:
        await store.aclose()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["help", "--by", "help"], "--by: 'help' would judge its own judgements"),
        (["help", "--by", "model:sim-mid", "--sample", "0"], "sample: "),
        (["help", "--by", "model:sim-mdi"], "unknown model 'sim-mdi'; did you mean 'sim-mid'?"),
    ],
)
@pytest.mark.usefixtures("environ")
async def test_wrong_input_is_told(arguments: list[str], says: str) -> None:
    result = await continuo("rate", "judge", *arguments)
    assert (result.code, says in result.err) == (2, True), result.err
