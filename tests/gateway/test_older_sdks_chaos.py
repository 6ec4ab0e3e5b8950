"""The SDKs of one major before, in an environment of their own: they are asked for at a package index."""

import asyncio
import json
import venv
from pathlib import Path

import pytest

from tests.support.gateway import GatewayProcess

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

WANTED = ("openai>=2,<3", "anthropic>=1,<2")
SCRIPT = Path(__file__).parent / "older_sdks.py"


async def output(*line: str) -> tuple[int | None, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*line, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture(scope="module")
async def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with the older SDKs; the test is skipped where no index has them."""
    folder = tmp_path_factory.mktemp("older")
    builder = venv.EnvBuilder(with_pip=True)
    await asyncio.to_thread(builder.create, folder)
    python = str(folder / "bin" / "python")
    code, _, err = await output(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED)
    if code:
        pytest.skip(f"the older SDKs cannot be installed: {err.strip().splitlines()[-1]}")
    return python


@pytest.mark.usefixtures("simulator")
async def test_the_sdks_of_one_major_before_are_answered(python: str, gateway: GatewayProcess) -> None:
    code, out, err = await output(python, str(SCRIPT), gateway.url, gateway.secret)
    assert code == 0, err
    assert {name: version.split(".")[0] for name, version in json.loads(out).items()} == {
        "openai": "2",
        "anthropic": "1",
    }
