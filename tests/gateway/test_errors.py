"""What a request keeps that raised."""

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from continuo.starters.gateway.errors import answer
from continuo.wire.errors import WireError


@pytest.mark.parametrize("error", [WireError(502, "no times", code="no_segments"), LookupError("a mistake of ours")])
async def test_a_request_that_fails_after_its_run_began_keeps_no_place_of_its_key(error: Exception) -> None:
    released: list[bool] = []

    async def release() -> None:
        released.append(True)

    scope = {"type": "http", "path": "/v1/audio/transcriptions", "headers": [], "query_string": b"", "server": ("x", 1)}
    response = await answer(Request({**scope, "answering": SimpleNamespace(release=release)}), error)
    assert (response.status_code, released) == (getattr(error, "status", 500), [True])
