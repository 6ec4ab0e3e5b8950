"""`POST /v1/moderations`: what the guardrails see in texts. No model is asked, and nothing is kept."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.door.moderating import moderated
from continuo.starters.gateway.callers import entered, resolver
from continuo.starters.gateway.runs import admitted_of, context_of
from continuo.wire import moderations
from continuo.wire.errors import refusing
from continuo.wire.parsed import parsed


async def create(http: Request) -> Response:
    gateway, key = await entered(http)
    content = await http.body()
    async with admitted_of(gateway, key) as admitted:
        body = await asyncio.to_thread(parsed, moderations.Body, content)
        library, name = gateway.door.library, body.model or moderations.MODEL
        with refusing():
            pattern = "" if name == moderations.MODEL else resolver(library, key)(name)
            results = await asyncio.to_thread(moderated, library, context_of(key), moderations.texts(body), pattern)
    await gateway.limits.release(admitted, 0)
    return JSONResponse(moderations.response(name, results), headers=admitted.headers)
