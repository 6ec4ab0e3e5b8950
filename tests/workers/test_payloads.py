"""Large prompts and answers are found by whoever has the store of the pools."""

from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import StorageDriverClaim, StorageDriverRetrieveContext

from continuo.config.settings import Settings
from continuo.door.runs import Handle, result
from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.patterns import Call, Template
from continuo.stores.sqlite import database as sqlite
from continuo.temporal.payloads import converter
from continuo.testing.processes import Control, begin, job, pool_process, running, until
from tests.continuo.stores.test_store_faults import locked
from tests.support.commands import continuo
from tests.support.stores import emptied, postgres

LONG = "x" * 20_000


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    """The file of a pattern with a long answer."""
    path = tmp_path / "long.yaml"
    path.write_text(f"description: Long.\npattern: {{kind: template, text: {LONG}}}\n", encoding="utf-8")
    return str(path)


async def read(data: Path, name: str) -> list[Payload]:
    """What a starter finds under a name."""
    storage = converter(Settings(data=data)).external_storage
    assert storage is not None
    [driver] = storage.drivers
    return await driver.retrieve(StorageDriverRetrieveContext(), [StorageDriverClaim({"sha256": name})])


@pytest.mark.usefixtures("worker")
async def test_a_starter_with_another_data_folder_is_told_what_it_needs(
    client: Client, pattern: str, tmp_path: Path
) -> None:
    assert (await (await begin(client, job(Template(text=LONG)))).result()).text == LONG
    found = await continuo("run", pattern, "Hello?", CONTINUO_DATA=str(tmp_path / "other"))
    assert found.code == 2
    assert found.err.splitlines()[-1].startswith("error: a large prompt or answer is not in")
    assert "set CONTINUO_DATA and DATABASE_URL as the pools have them" in found.err


@pytest.mark.usefixtures("worker")
async def test_a_long_answer_that_cannot_be_kept_for_a_while_is_not_asked_for_again(
    client: Client, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.1)
    text = f"{uuid4()} {LONG}"
    await simulator.behave("sim-mid", text=text)
    with locked(Settings().data / "payloads.db"):
        run = await begin(client, job(Call(model="mid")))
        await until(lambda: _tried_again(run))
    found = await result(run)
    assert isinstance(found, Outcome)
    assert found.text == text
    assert len(await simulator.calls("sim-mid")) == 1


async def _tried_again(run: Handle) -> bool:
    pending = (await run.describe()).raw_description.pending_activities
    return any(activity.attempt > 2 for activity in pending)


@pytest.mark.usefixtures("simulator", "shop")
async def test_hosts_that_share_a_database_need_no_common_folder(client: Client, pattern: str, tmp_path: Path) -> None:
    async with postgres(tmp_path / "postgres") as server:
        url = await emptied(server)
        pool = pool_process("batch", tmp_path / "pool.log", DATABASE_URL=url, CONTINUO_DATA=str(tmp_path / "one"))
        async with running(pool):
            there = {"DATABASE_URL": url, "CONTINUO_DATA": str(tmp_path / "other")}
            found = await continuo("run", pattern, "Hello?", "--priority", "batch", **there)
    assert (found.code, found.out) == (0, f"{LONG}\n")


async def test_what_an_earlier_version_kept_as_a_file_is_read(tmp_path: Path) -> None:
    [payload] = converter(Settings()).payload_converter.to_payloads([LONG])
    content = payload.SerializeToString(deterministic=True)
    name = sha256(content).hexdigest()
    path = tmp_path / "payloads" / name[:2] / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert await read(tmp_path, name) == [payload]


async def test_a_starter_that_cannot_open_the_store_is_told_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "payloads.db").mkdir()
    with pytest.raises(InputError, match=r"cannot read a large prompt or answer: .*; set CONTINUO_DATA"):
        await read(tmp_path, "0" * 64)
