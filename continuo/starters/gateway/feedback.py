"""`/v1/feedback`: what is said of an answer, kept beside its run."""

import asyncio
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.door.rated import rated_run
from continuo.operations.ratings import Rating
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import entered
from continuo.starters.gateway.state import Gateway
from continuo.stores.ratings import rate
from continuo.wire import feedback
from continuo.wire.errors import WireError, refusing
from continuo.wire.parsed import parsed


async def create(http: Request) -> Response:
    """What the same rater says again of the same run and dimension takes the place of what was said before."""
    gateway, key = await entered(http)
    body = parsed(feedback.Body, await http.body())
    value, scale = feedback.value_of(body)
    run = await rated_run(gateway.door, gateway.store, key.tenant, body.id)
    if run is None:
        message = f"id: there is no run or response {body.id[:80]!r} for this key; one that began just now may follow"
        raise WireError(404, message, "id", "run_not_found")
    rater, comment = await _withheld(gateway, key, run.pattern, body)
    rating = Rating(
        run_id=run.run_id,
        tenant=key.tenant,
        rater=rater,
        dimension=body.dimension,
        value=value,
        scale=scale,
        comment=comment,
        time=datetime.now(UTC),
        source="api",
    )
    await rate(gateway.store, [rating])
    return JSONResponse({"object": "feedback", **rating.model_dump(mode="json")})


async def _withheld(gateway: Gateway, key: ApiKey, pattern: str, body: feedback.Body) -> tuple[str, str | None]:
    """The rater and the comment as they may be kept, by the guardrails of the pattern: nothing restores them."""
    context = key.context()

    def withheld() -> tuple[str, str | None]:
        private = gateway.door.withholding.private(context, pattern)
        return private.pseudonym(body.rater or key.id), body.comment and private.text(body.comment)

    with refusing("comment"):
        async with gateway.door.refusals(context, pattern):
            return await asyncio.to_thread(withheld)
