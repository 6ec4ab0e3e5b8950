"""The run that somebody has something to say of, by its id or by that of the response."""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple

from temporalio.client import Client

from continuo.door.collecting import QUERY
from continuo.door.plain_rows import PLAIN
from continuo.door.request import Request
from continuo.door.submit import Door, run_id
from continuo.stores.database import Database
from continuo.stores.runs import rows_of
from continuo.temporal.attributes import PATTERN
from continuo.temporal.plain_calls import plain_calls

_RESPONSE = re.compile(r"(?:chatcmpl-|cmpl-|msg_|resp_)([0-9a-f]{32})")


class RatedRun(NamedTuple):
    run_id: str
    pattern: str


async def rated_run(door: Door, store: Database, tenant: str, id: str) -> RatedRun | None:
    """The newest run of this tenant that has the workflow id or run id `id`, or whose response has it; None without
    one."""
    # It becomes part of a query.
    if not id.isprintable() or "'" in id or "\\" in id:
        return None
    response = _RESPONSE.fullmatch(id)
    ids = await asyncio.to_thread(_ids, door, tenant, response[1]) if response else [id]
    for row in await rows_of(store, *ids):
        if row.tenant == tenant:
            return RatedRun(row.run_id, row.pattern)
    # Its row comes some seconds after its end.
    return await _listed(door.client, tenant, ids)


def _ids(door: Door, tenant: str, id: str) -> list[str]:
    """Those that the run of this request may have: nothing in a response names the pattern, and a search for its end
    would read every run of the tenant."""
    catalog = door.library.catalog
    patterns = [*door.library.names(), *(f"model:{name}" for name in (*catalog.models, *catalog.aliases))]
    return [run_id(Request(pattern=pattern, prompt="", id=id), tenant) for pattern in patterns]


async def _listed(client: Client, tenant: str, ids: Sequence[str]) -> RatedRun | None:
    names = ", ".join(f"'{id}'" for id in ids)
    query = f"{QUERY} AND ContinuoTenant = '{tenant}' AND (WorkflowId IN ({names}) OR RunId IN ({names}))"
    runs = [run async for run in client.list_workflows(query)]
    if runs:
        newest = max(runs, key=lambda run: run.start_time)
        return RatedRun(newest.run_id, newest.typed_search_attributes.get(PATTERN) or "")
    query = f"{PLAIN} AND ContinuoTenant = '{tenant}' AND (ActivityId IN ({names}) OR RunId IN ({names}))"
    async for call in plain_calls(client, query):
        return RatedRun(call.activity_run_id or "", call.typed_search_attributes.get(PATTERN) or "")
    return None
