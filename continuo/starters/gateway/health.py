"""`/healthz` says that the process lives, `/readyz` that a request can be answered by what it needs."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.starters.gateway.state import Gateway

PATIENCE = 2.0
"""Seconds for which Temporal and the store are waited for."""


async def alive(http: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def ready(http: Request) -> Response:
    gateway: Gateway = http.app.state.gateway
    checks = {
        "temporal": gateway.door.client.service_client.check_health(),
        "store": gateway.store.read("SELECT 1 AS one"),
    }
    results = await asyncio.gather(
        *(asyncio.wait_for(check, PATIENCE) for check in checks.values()), return_exceptions=True
    )
    away = [name for name, result in zip(checks, results, strict=True) if isinstance(result, Exception)]
    body = {"status": "unavailable" if away else "ok", "away": away}
    return JSONResponse(body, 503 if away else 200)
