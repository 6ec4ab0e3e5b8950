"""LiteLLM's proxy, in an environment of its own in the user's cache."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.environments import installed
from benchmarks.gateway.contestant import Contestant
from continuo.testing.processes import until
from continuo.workers.local.ports import listening

VERSION = "1.110.2"

PACKAGES = (
    f"litellm=={VERSION}", "litellm-proxy-extras", "fastapi", "uvicorn[standard]", "gunicorn", "backoff", "pyyaml",
    "orjson", "apscheduler", "fastapi-sso", "pyjwt", "python-multipart", "cryptography", "rq", "websockets", "boto3",
    "mcp", "rich", "email-validator", "semver", "expression", "soundfile",
)  # fmt: skip
"""What its proxy imports: the extra that names all of it needs a package that the index does not have."""

CONFIG = """\
model_list:
  - model_name: sim-mid
    litellm_params: {{model: openai/sim-mid, api_base: "{url}/v1", api_key: none}}
  - model_name: tiers
    litellm_params: {{model: openai/sim-free, api_base: "{url}/v1", api_key: none}}
router_settings:
  num_retries: 0
  fallbacks: [{{tiers: [sim-mid]}}]
litellm_settings:
  num_retries: 0
  cache: true
  cache_params: {{type: local}}
general_settings:
  master_key: sk-benchmark
"""


@asynccontextmanager
async def litellm(folder: Path, upstream: str) -> AsyncIterator[Contestant]:
    programs, config = await installed(f"litellm-{VERSION}", PACKAGES), folder / "litellm.yaml"
    config.write_text(CONFIG.format(url=upstream), encoding="utf-8")
    with listening(0, "LiteLLM") as socket:
        port = socket.getsockname()[1]
    line = [str(programs / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environ = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    # Otherwise it fetches the prices of models when it starts.
    environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with (folder / "litellm.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*line, env=environ, stdout=log, stderr=log)
    try:
        one = Contestant("LiteLLM", f"http://127.0.0.1:{port}/v1", "sk-benchmark", (process.pid,))
        # It takes a minute to load on a busy core.
        await until(one.models, timeout=300)
        yield one
    finally:
        process.terminate()
        await process.wait()
