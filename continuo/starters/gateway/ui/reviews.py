"""What waits for a person, and its decision: on what was shown, by the name of the key that signed in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from starlette.responses import Response

from continuo.authoring.prepare import validated
from continuo.decisions.review import Case, Decision, not_theirs
from continuo.door import reviews as door
from continuo.errors import InputError
from continuo.patterns.review import Decided
from continuo.starters.gateway.ui.visits import Unserved, Visit, page

CLAIMED = 900.0
"""Seconds of a claim."""


@page()
async def list_reviews(visit: Visit) -> Response:
    briefs = await door.open_reviews(visit.gateway.door.client, visit.tenant)
    return visit.show("reviews.html", briefs=[brief for brief in briefs if visit.key.allows_pattern(brief.pattern)])


@page()
async def show(visit: Visit) -> Response:
    return _shown(visit, await _case(visit))


@page("reviewer")
async def decide(visit: Visit) -> Response:
    """Decides, claims or releases; what is refused is shown with the review as it is now."""
    case, client, by = await _case(visit), visit.gateway.door.client, visit.key.name
    try:
        match visit.fields.get("decision"):
            case "claim":
                case = await door.claim(client, case, by, CLAIMED)
            case "release":
                case = await door.release(client, case, by)
            case _:
                case = await door.decide(visit.gateway.door, case, _decision(visit.fields, by))
    except door.Refused as error:
        return _shown(visit, await _case(visit), why=str(error), status=409)
    except InputError as error:
        return _shown(visit, case, why=str(error), status=400)
    return visit.go("/review", id=case.id)


def _decision(fields: Mapping[str, str], by: str) -> Decision:
    """Raises `InputError` for what is none."""
    decision = fields.get("decision", "")
    if decision not in get_args(Decided):
        raise InputError(f"decision: take one of {', '.join(get_args(Decided))}")
    # A browser ends lines by CR LF.
    text = fields.get("text", "").replace("\r\n", "\n") if decision in ("edit", "respond") else None
    if text is not None and not text.strip():
        raise InputError(f"text: to {decision}, write a text")
    own: dict[str, Any] = {"reason": (fields.get("reason") or None) if decision == "reject" else None, "text": text}
    return validated(
        Decision, decision=decision, by=by, shown=fields.get("shown", ""), note=fields.get("note", ""), **own
    )


async def _case(visit: Visit) -> Case:
    id = visit.fields.get("id", "")
    try:
        case = await door.case_of(visit.gateway.door.client, id)
    except door.UnknownReview:
        case = None
    if case is None or not visit.owns(case.tenant) or not visit.key.allows_pattern(case.pattern):
        raise Unserved(404, f"there is no review {id[:200]!r} here")
    return case


def _shown(visit: Visit, case: Case, *, why: str | None = None, status: int = 200) -> Response:
    """With the form, where the person may decide it. What that person has written is in it again."""
    refused = case.closed
    if refused is None and not visit.key.has_role("reviewer"):
        refused = "deciding needs the role reviewer"
    if refused is None:
        refused = not_theirs(case, visit.key.name, datetime.now(UTC))
    return visit.show("review.html", status, case=case, why=why, refused=refused)
