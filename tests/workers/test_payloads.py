"""Large prompts and answers are found by whoever has the store of the pools."""

from hashlib import sha256
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.converter import StorageDriverClaim, StorageDriverRetrieveContext

from continuo.patterns import Template
from continuo.settings import Settings
from tests.starters.test_cli import continuo
from tests.stores import emptied, postgres
from tests.support import begin, job, pool_process, running
from workers.payloads import converter

LONG = "x" * 20_000


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    """The file of a pattern with a long answer."""
    path = tmp_path / "long.yaml"
    path.write_text(f"description: Long.\npattern: {{kind: template, text: {LONG}}}\n", encoding="utf-8")
    return str(path)


@pytest.mark.usefixtures("worker")
async def test_a_starter_with_another_data_folder_is_told_what_it_needs(
    client: Client, pattern: str, tmp_path: Path
) -> None:
    assert (await (await begin(client, job(Template(text=LONG)))).result()).text == LONG
    found = await continuo("run", pattern, "Hello?", CONTINUO_DATA=str(tmp_path / "other"))
    assert found.code == 2
    assert found.err.splitlines()[-1].startswith("error: a large prompt or answer is not in")
    assert "set CONTINUO_DATA and DATABASE_URL as the pools have them" in found.err


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
    data = converter(Settings(data=tmp_path))
    assert data.external_storage is not None
    [payload] = data.payload_converter.to_payloads([LONG])
    content = payload.SerializeToString(deterministic=True)
    name = sha256(content).hexdigest()
    path = tmp_path / "payloads" / name[:2] / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    [driver] = data.external_storage.drivers
    claim = StorageDriverClaim({"sha256": name})
    assert await driver.retrieve(StorageDriverRetrieveContext(), [claim]) == [payload]
