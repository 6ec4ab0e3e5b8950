from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.patterns import Template
from tests.starters.test_cli import continuo
from tests.support import begin, job


@pytest.mark.usefixtures("worker")
async def test_a_starter_with_another_data_folder_is_told_which_one_it_needs(client: Client, tmp_path: Path) -> None:
    pattern = tmp_path / "long.yaml"
    pattern.write_text(f"description: Long.\npattern: {{kind: template, text: {'x' * 20_000}}}\n", encoding="utf-8")
    assert len((await (await begin(client, job(Template(text="x" * 20_000)))).result()).text) == 20_000
    found = await continuo("run", str(pattern), "Hello?", CONTINUO_DATA=str(tmp_path / "other"))
    assert found.code == 2
    assert found.err.splitlines()[-1].startswith("error: a large prompt or answer is not in")
    assert "set CONTINUO_DATA to the data folder of the pools" in found.err
