"""Blind ratings: an answer without what gave it, and what a person gives it, by the name of the key that signed in."""

from collections.abc import Sequence

from starlette.responses import Response

from continuo.door.exchange import Exchange, exchange
from continuo.operations.to_rate import NEWEST, RatingQuery, Scores, ToRate
from continuo.starters.gateway.ui.visits import Unserved, Visit, page
from continuo.stores.ratings import rate as keep
from continuo.stores.ratings import ratings_of
from continuo.stores.runs import listed, rows_of

FORGOTTEN = 50
"""Runs that Temporal has forgotten, of which so many are passed over at once."""

CHOICE = ("tenant", "pattern", "variant", "batch", "since")
"""The fields that choose among the runs."""


@page("reviewer")
async def show(visit: Visit) -> Response:
    """The next answer. What was skipped since the page was opened comes last."""
    query = visit.query(RatingQuery, tenant=visit.tenant, rater=visit.key.name, status="done", limit=NEWEST)
    rows = await listed(visit.gateway.store, query)
    left = query.left(rows, await ratings_of(visit.gateway.store, [row.run_id for row in rows]))
    skipped = visit.fields.get("skipped", "").split()
    one, seen = await _next(visit, [one for one in left if one.row.run_id not in skipped])
    choice = {name: value for name in CHOICE if (value := visit.fields.get(name))}
    return visit.show("rate.html", one=one, seen=seen, left=len(left), choice=choice, skipped=skipped)


@page("reviewer")
async def rate(visit: Visit) -> Response:
    id = visit.fields.get("run_id", "")
    row = next((row for row in await rows_of(visit.gateway.store, id) if visit.owns(row.tenant)), None)
    if row is None:
        raise Unserved(404, f"there is no run {id[:200]!r} here")
    await keep(visit.gateway.store, visit.query(Scores).of(row, visit.key.name))
    return visit.go("/rate", **{name: visit.fields.get(name, "") for name in (*CHOICE, "skipped")})


async def _next(visit: Visit, left: Sequence[ToRate]) -> tuple[ToRate, Exchange] | tuple[None, None]:
    masker = visit.gateway.door.library.masker
    for one in left[:FORGOTTEN]:
        if (seen := await exchange(visit.gateway.door.client, one.row)) is not None:
            return one, Exchange(masker.text(seen.question), masker.text(seen.answer))
    return None, None
