"""What was spent and saved, by whom and on what, and what is left of the day's budgets."""

from datetime import UTC, datetime, timedelta
from typing import get_args

from starlette.responses import Response

from continuo.operations.reports import By, Query
from continuo.starters.gateway.ui.visits import Visit, page
from continuo.stores.reports import report

DAYS = 30
"""Of costs, where nothing is said."""


@page()
async def costs(visit: Visit) -> Response:
    now = datetime.now(UTC)
    since, until = visit.fields.get("since") or None, visit.fields.get("until")
    if not since and not until:
        since = str(now.date() - timedelta(days=DAYS))
    by = visit.fields.get("by") or "day"
    query = visit.query(Query, kind="costs", by=by, tenant=visit.tenant, since=since)
    answer = await report(visit.gateway.store, query, visit.gateway.door.library, now)
    return visit.show("costs.html", costs=answer, query=query, groups=get_args(By))


@page()
async def budgets(visit: Visit) -> Response:
    query, library = visit.query(Query, kind="budget", tenant=visit.tenant), visit.gateway.door.library
    days = await report(visit.gateway.store, query, library, datetime.now(UTC))
    return visit.show("budgets.html", days=days, tenants=library.tenants)
