"""`/v1/reviews`: what waits for a person, and its decision."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.decisions.review import Case, Decision
from continuo.door import reviews as door
from continuo.errors import InputError
from continuo.patterns.review import Decided
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import entered
from continuo.starters.gateway.state import Gateway
from continuo.wire import reviews
from continuo.wire.errors import WireError, refusing
from continuo.wire.listing import listing
from continuo.wire.parsed import parsed


async def list_reviews(http: Request) -> Response:
    """The open ones of the key's tenant, in the order in which they are due."""
    gateway, key = await entered(http)
    with refusing():
        query = reviews.ReviewQuery.model_validate(dict(http.query_params))
    briefs = [
        brief
        for brief in await door.open_reviews(gateway.door.client, key.tenant)
        if key.allows_pattern(brief.pattern) and query.pattern in (None, brief.pattern)
    ]
    if query.after is not None:
        at = next((number for number, brief in enumerate(briefs, 1) if brief.id == query.after), None)
        if at is None:
            raise WireError(404, f"after: there is no open review {query.after[:80]!r}", "after", "review_not_found")
        briefs = briefs[at:]
    page = [reviews.in_list(brief) for brief in briefs[: query.limit]]
    return JSONResponse(listing(page, more=len(briefs) > len(page)))


async def get(http: Request) -> Response:
    gateway, key = await entered(http)
    return JSONResponse(reviews.response(await case_for_key(gateway, key, http)))


async def approve(http: Request) -> Response:
    return await _decided(http, "approve")


async def edit(http: Request) -> Response:
    return await _decided(http, "edit")


async def reject(http: Request) -> Response:
    return await _decided(http, "reject")


async def respond(http: Request) -> Response:
    return await _decided(http, "respond")


async def claim(http: Request) -> Response:
    gateway, key = await entered(http)
    body = parsed(reviews.ClaimBody, await http.body())
    case = await case_for_key(gateway, key, http)
    with _as_wire_errors():
        return JSONResponse(reviews.response(await door.claim(gateway.door.client, case, body.by, body.seconds)))


async def release(http: Request) -> Response:
    gateway, key = await entered(http)
    body = parsed(reviews.ReleaseBody, await http.body())
    case = await case_for_key(gateway, key, http)
    with _as_wire_errors():
        return JSONResponse(reviews.response(await door.release(gateway.door.client, case, body.by)))


async def _decided(http: Request, decision: Decided) -> Response:
    gateway, key = await entered(http)
    body = parsed(reviews.DecisionBody, await http.body())
    case = await case_for_key(gateway, key, http)
    taken = Decision(decision=decision, **body.model_dump())
    with _as_wire_errors():
        return JSONResponse(reviews.response(await door.decide(gateway.door, case, taken)))


async def case_for_key(gateway: Gateway, key: ApiKey, http: Request) -> Case:
    """Raises `WireError` for a review that is not there, another tenant's, or of a pattern that the key may not use."""
    with _as_wire_errors():
        case = await door.case_of(gateway.door.client, http.path_params["id"], key.tenant)
    if not key.allows_pattern(case.pattern):
        raise WireError(404, "id: there is no such review for this key", "id", "review_not_found")
    return case


@contextmanager
def _as_wire_errors() -> Iterator[None]:
    """Raise what the door refuses as a `WireError`."""
    try:
        yield
    except door.UnknownReview:
        raise WireError(404, "id: there is no such review for this key", "id", "review_not_found") from None
    except door.Refused as error:
        raise WireError(409, str(error), code="review_refused") from None
    except InputError:
        raise WireError(503, "no pool answers for the review now; try again", code="unavailable") from None
