"""Requests made of OpenAI's published description, by two tenants: no mistake of ours, and nothing of the other's.

`CONTINUO_TEST_OPENAPI` names the description, JSON and perhaps packed with gzip; it is no part of this repository.
"""

import asyncio
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.support.gateway import GatewayProcess, new_key

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SERVED = {
    "/chat/completions": "post",
    "/responses": "post",
    "/responses/input_tokens": "post",
    "/models": "get",
    "/models/{model}": "get",
}
EXAMPLES = 60
TENANTS = ("fuzzed-one", "fuzzed-two")


def described() -> dict[str, Any]:
    """The description, of the paths that are served. Skips the test where there is none."""
    named = os.environ.get("CONTINUO_TEST_OPENAPI")
    if not named:
        pytest.skip("CONTINUO_TEST_OPENAPI names no description of OpenAI's API")
    content = Path(named).read_bytes()
    schema: dict[str, Any] = json.loads(gzip.decompress(content) if named.endswith(".gz") else content)
    paths = {path: {method: schema["paths"][path][method]} for path, method in SERVED.items()}
    return {**schema, "paths": paths}


@pytest.mark.usefixtures("simulator")
@pytest.mark.parametrize("path", SERVED)
async def test_no_request_of_the_published_api_is_a_mistake_of_ours(gateway: GatewayProcess, path: str) -> None:
    schema = schemathesis.openapi.from_dict(described())
    operation = schema[path][SERVED[path].upper()]
    keys = {tenant: await new_key(tenant) for tenant in TENANTS}
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)

    def asked(mode: schemathesis.GenerationMode) -> None:
        @seed(20261126)
        @settings(
            max_examples=EXAMPLES,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            for tenant, other in (TENANTS, TENANTS[::-1]):
                headers = {"authorization": f"Bearer {keys[tenant]}"}
                response = case.call(base_url=f"{gateway.url}/v1", headers=headers, timeout=30)
                assert response.status_code < 500, response.text
                for hidden in (other, keys[other], keys[tenant], "Traceback"):
                    assert hidden not in response.text
                if response.status_code >= 400:
                    error = response.json()["error"]
                    assert error["message"]
                    assert error["type"]

        ask()

    for mode in modes:
        # The pools that answer are in this thread.
        await asyncio.to_thread(asked, mode)
    async with gateway.http() as http:
        assert (await http.get("/readyz")).status_code == 200
