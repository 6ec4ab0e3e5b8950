"""`/metrics`, for who has an admin key: it shows what is spent, and on what."""

from starlette.requests import Request
from starlette.responses import Response

from continuo.observing.exposition import MEDIA_TYPE
from continuo.starters.gateway.callers import entered
from continuo.wire.errors import WireError


async def metrics(http: Request) -> Response:
    gateway, key = await entered(http)
    if not key.admin:
        message = "metrics are for admin keys; make one with `continuo keys create --admin`"
        raise WireError(403, message, code="not_admin")
    return Response(await gateway.exposition.text(), media_type=MEDIA_TYPE)
