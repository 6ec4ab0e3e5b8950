"""`POST /v1/moderations`, which is refused: an answer without a guardrail behind it would pass for a safe one."""

from starlette.requests import Request
from starlette.responses import Response

from continuo.starters.gateway.callers import caller
from continuo.wire.errors import WireError


async def create(http: Request) -> Response:
    await caller(http.app.state.gateway, http)
    message = "moderations are not served here; ask a pattern such as `moderation` at /v1/chat/completions"
    raise WireError(501, message, code="not_served")
