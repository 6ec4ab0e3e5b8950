"""Pruning by way of Temporal, on the real server."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from continuo.config.settings import Settings, environment
from continuo.stores.opened import open_store
from continuo.stores.pruning import JOURNAL
from tests.continuo.stores.test_pruning import journalled, names

pytestmark = pytest.mark.usefixtures("worker")


async def failure(client: Client, *given: Any) -> ApplicationError:
    running = client.execute_workflow("Prune", args=given, id=f"prune-{uuid4()}", task_queue="standard")
    with pytest.raises(WorkflowFailureError) as raised:
        await asyncio.wait_for(running, 30)
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause


async def test_a_part_that_fails_is_named_and_leaves_the_others_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(Settings(), environment())
    await journalled(store, {"old/1": "2020"})
    monkeypatch.setattr("continuo.stores.sqlite.cache.SqliteCache.prune", lambda *given, **how: 1 // 0)
    error = await failure(client)
    assert (error.type, error.message) == (
        "NotPruned",
        "cache: unexpected ZeroDivisionError: integer division or modulo by zero",
    )
    assert "old/1" not in await names(store, JOURNAL)
    await store.aclose()


@pytest.mark.parametrize(
    ("given", "says"),
    [({"dryrun": True}, "dryrun: Extra inputs are not permitted"), ("dry", "'dry' is no request")],
    ids=str,
)
async def test_wrong_input_fails_at_once_and_says_what_is_right(client: Client, given: object, says: str) -> None:
    error = await failure(client, given)
    assert (error.type, error.message) == ("InputError", f'{says}; write {{"dry_run": true}}, or nothing')
