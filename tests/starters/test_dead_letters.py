"""`continuo dead-letters` on the real server, with a pool and without one."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.errors import InputError
from continuo.starters.commands.dead_letters import discard, list_letters, retry
from continuo.testing.processes import Control, job, until
from continuo.workflows.dead_letter import DeadLetterWorkflow
from tests.support.commands import continuo
from tests.workflows.test_dead_letter import FAILS, LetterHandle, buried, closed, content


async def listed(client: Client, *ids: str) -> None:
    """Wait until the server's list has the letters."""

    async def found() -> bool:
        running = client.list_workflows("WorkflowType = 'DeadLetter' AND ExecutionStatus = 'Running'")
        return {run.id async for run in running} >= set(ids)

    await until(found)


@pytest.fixture
async def letter(client: Client, simulator: Control, worker: None) -> LetterHandle:
    """The letter of a call whose provider is well again."""
    await simulator.behave("sim-premium", status=503, error_message="on fire")
    found = await buried(client, job(FAILS), f"kept-{uuid4()}")
    await simulator.delete("/_sim/models")
    await listed(client, found.id)
    return found


@pytest.fixture
async def unread(client: Client, letter: LetterHandle) -> AsyncIterator[list[str]]:
    """The ids of two runs whose letters no pool has begun to work on, each the beginning of the next."""
    kept, id = await content(letter), f"unread-{uuid4()}"
    twins = [kept.model_copy(update={"workflow_id": name}) for name in (id, f"{id}0")]
    begun = [
        await client.start_workflow(DeadLetterWorkflow.run, twin, id=twin.id, task_queue="nobody's", memo=twin.brief())
        for twin in twins
    ]
    await listed(client, *(twin.id for twin in twins))
    yield [twin.workflow_id for twin in twins]
    for handle in begun:
        await handle.terminate()


async def test_a_letter_is_listed_for_people_and_for_programs(
    letter: LetterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = await content(letter)
    table = await continuo("dead-letters")
    assert table.code == 0, table.err
    row = next(line for line in table.out.splitlines() if kept.workflow_id in line)
    assert all(word in row for word in ("acme", "test", "server_error: sim-anthropic: 503 on fire", "Where is my"))
    assert await list_letters(tenant="acme", json=True) == 0
    [entry] = [entry for entry in json.loads(capsys.readouterr().out) if entry["id"] == letter.id]
    assert entry["job"]["request"]["messages"][0]["content"] == "Where is my order?"
    assert entry["failure"]["calls"][0]["status"] == "failed"
    assert entry["history"].endswith(f"/workflows/{kept.workflow_id}/{kept.run_id}/history")


async def test_a_wrong_pattern_is_refused_before_anything_is_sent(letter: LetterHandle) -> None:
    found = await continuo("dead-letters", "retry", letter.id, "--pattern", "suport")
    assert (found.code, found.out) == (2, "")
    assert found.err == "error: unknown pattern 'suport'; did you mean 'support'?\n"
    assert (await content(letter)).note == ""


async def test_a_job_is_tried_again_by_the_beginning_of_its_id(
    letter: LetterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    id = (await content(letter)).workflow_id
    assert await retry(id[:20], pattern="support") == 0
    assert f"temporal workflow result --workflow-id {id}" in capsys.readouterr().out
    assert (await closed(letter)).by == "answered"


async def test_a_whole_id_is_not_taken_for_the_beginning_of_another(
    unread: list[str], letter: LetterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="id: 2 open letters have ids that begin with 'unread-"):
        await discard(unread[0][:20])
    assert await discard(unread[0], note="test") == 0
    assert capsys.readouterr().out == f"discarded {unread[0]}\n"


async def test_what_no_pool_can_tell_is_said_in_one_line(unread: list[str]) -> None:
    with pytest.raises(InputError, match=r"no pool answers for dead-letter/unread-.* start one: continuo workers"):
        await retry(unread[0], pattern="support")


@pytest.mark.parametrize("id", ["", "nobody"])
async def test_an_id_that_no_letter_has_is_named(client: Client, id: str) -> None:
    with pytest.raises(InputError, match=f"id: no open letter has an id that begins with '{id}'; see `continuo"):
        await retry(id)


async def test_a_letter_that_was_closed_is_not_closed_again(letter: LetterHandle) -> None:
    await letter.signal(DeadLetterWorkflow.discard)
    await closed(letter)
    with pytest.raises(InputError, match="id: "):
        await discard(letter.id)


async def test_where_no_letter_is_open_a_line_says_so(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert await list_letters(tenant="nobody") == 0
    assert capsys.readouterr().out == "no open letters\n"
    assert await list_letters(tenant="nobody", json=True) == 0
    assert capsys.readouterr().out == "[]\n"
