"""Links for e-mail and chat: who opens one sees a review, and decides it by the form there, never by fetching it."""

import time
from html import escape
from typing import get_args
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from continuo.decisions.review import Case, Decision, not_theirs
from continuo.door import reviews as door
from continuo.errors import InputError
from continuo.patterns.review import Decided
from continuo.protection.review_links import PATH, ReviewLink, link_of, token_of
from continuo.protection.webhooks import keys_of
from continuo.starters.gateway.callers import entered
from continuo.starters.gateway.reviews import case_for_key
from continuo.starters.gateway.state import Gateway
from continuo.wire import review_page, reviews
from continuo.wire.errors import WireError, refusing
from continuo.wire.parsed import parsed

FORM = 1 << 20
"""Bytes of a form at most."""


async def link(http: Request) -> Response:
    """Make a link for one reviewer."""
    gateway, key = await entered(http)
    body = parsed(reviews.LinkBody, await http.body())
    case = await case_for_key(gateway, key, http)
    with refusing():
        signing = keys_of(gateway.door.library.environ)[0]
    if (why := case.closed or not_theirs(case.model_copy(update={"claim": None}), body.by, case.opened)) is not None:
        raise WireError(409, why, code="review_refused")
    decisions = tuple(one for one in case.decisions if body.decisions is None or one in body.decisions)
    if not decisions:
        message = f"decisions: none of them can be taken here; take some of {', '.join(case.decisions)}"
        raise WireError(400, message, "decisions")
    expires = int(time.time() + body.seconds)
    allowed = ReviewLink(
        review=case.id,
        tenant=case.tenant,
        reviewer=body.by,
        decisions=decisions,
        shown=case.shown,
        expires=expires,
    )
    url = f"{str(http.base_url).rstrip('/')}{PATH}?{urlencode({'link': token_of(allowed, signing)})}"
    return JSONResponse({"object": "review.link", "url": url, "expires_at": expires})


async def show(http: Request) -> Response:
    """The page. It decides nothing, whoever fetches it."""
    try:
        link, case = await _opened(http)
    except InputError as error:
        return _answer(review_page.page("This review cannot be shown", f"<p>{escape(str(error))}</p>"), 404)
    if (closed := case.closed) is not None:
        return _answer(review_page.page(case.question, f"<p>{escape(closed)}</p>"))
    return _answer(review_page.asking(case, link))


async def decide(http: Request) -> Response:
    """The form of the page: one decision."""
    try:
        link, case = await _opened(http)
    except InputError as error:
        return _answer(review_page.page("This review cannot be decided", f"<p>{escape(str(error))}</p>"), 404)
    try:
        case = await door.decide(_gateway(http).door, case, await _decision(http, link))
    except door.Refused as error:
        case = await door.case_of(_gateway(http).door.client, link.review, link.tenant)
        if (closed := case.closed) is not None:
            return _answer(review_page.page(case.question, f"<p>{escape(closed)}</p>"), 409)
        return _answer(review_page.asking(case, link, why=str(error)), 409)
    except InputError as error:
        return _answer(review_page.asking(case, link, why=str(error)), 400)
    line = (
        case.verdict.line
        if case.verdict
        else f"your vote counts, {len(case.votes)} of {len(case.reviewers)} have voted"
    )
    return _answer(review_page.page(case.question, f"<p>Thank you: {escape(line)}</p>"))


async def _opened(http: Request) -> tuple[ReviewLink, Case]:
    """What the link lets its holder do, and the review. Raises `InputError` for a link that opens nothing."""
    gateway = _gateway(http)
    link = link_of(http.query_params.get("link", ""), keys_of(gateway.door.library.environ), time.time())
    case = await door.case_of(gateway.door.client, link.review, link.tenant)
    if case.shown != link.shown:
        raise InputError("what is to be decided has changed since this link was made; ask for another one")
    return link, case


async def _decision(http: Request, link: ReviewLink) -> Decision:
    """Raises `InputError` for a form that is not the page's, and for a decision that the link does not allow."""
    content = await http.body()
    if http.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise InputError("send the form of this page")
    if len(content) > FORM:
        raise InputError(f"the form has more than {FORM:,} bytes; shorten the text")
    try:
        fields = dict(parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise InputError("send the form of this page") from None
    decision = next((one for one in get_args(Decided) if one == fields.get("decision")), None)
    if decision is None or decision not in link.decisions:
        raise InputError(f"this link decides with {', '.join(link.decisions)}; take one of them")
    # A browser ends lines by CR LF.
    text = fields.get("text", "").replace("\r\n", "\n") if decision in ("edit", "respond") else None
    if text is not None and not text.strip():
        raise InputError(f"to {decision}, write a text")
    try:
        return Decision(
            decision=decision,
            by=link.reviewer,
            shown=link.shown,
            text=text,
            reason=(fields.get("reason") or None) if decision == "reject" else None,
            note=fields.get("note", ""),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _gateway(http: Request) -> Gateway:
    gateway: Gateway = http.app.state.gateway
    return gateway


def _answer(page: str, status: int = 200) -> Response:
    return HTMLResponse(page, status, dict(review_page.HEADERS))
