"""`continuo prune` on the real server."""

import json

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.errors import InputError
from continuo.starters.commands.prune import prune
from continuo.stores.database import Connection
from continuo.stores.opened import open_store
from tests.support.commands import continuo
from tests.support.world import World


@pytest.fixture
async def old(worker: None) -> str:
    """The identity of a row of the journal that no run needs."""
    database = open_store(Settings(), environment())

    def write(connection: Connection) -> None:
        connection.execute("INSERT INTO journal (identity, time, outcome) VALUES ('old/1', '2020-01-01', '{}')")

    await database.write(write)
    await database.aclose()
    return "old/1"


@pytest.mark.usefixtures("old")
async def test_what_would_go_is_told_before_it_goes(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert await prune(dry_run=True, json=True) == 0
    found = json.loads(capsys.readouterr().out)
    none = dict.fromkeys(("ledger", "payloads", "letters", "runs", "streams", "audit", "events"), 0)
    assert found == {"dry_run": True, "journal": 1, "cache": found["cache"], **none}
    table = await continuo("prune")
    assert (table.code, "gone" in table.out) == (0, True), table
    assert await prune(json=True) == 0
    assert json.loads(capsys.readouterr().out)["journal"] == 0


async def test_without_a_pool_it_is_said_in_one_line(world: World) -> None:
    with pytest.raises(InputError, match="no pool works on the queue standard; start one: continuo workers"):
        await prune()
