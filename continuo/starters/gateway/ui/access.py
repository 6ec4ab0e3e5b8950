"""What is kept of answers, who may come in, and what the guardrails decided."""

import json
import time
from datetime import UTC, datetime

from starlette.responses import Response

from continuo.cut import cut
from continuo.starters.gateway.ui.visits import Unserved, Visit, page
from continuo.stores.api_keys import ApiKeys
from continuo.stores.audit import newest

MOST = 100
"""Rows of a page."""


@page()
async def cache(visit: Visit) -> Response:
    now = time.time()
    rows = await visit.gateway.cache.entries(visit.tenant, now)
    shown = [(row, cut(json.loads(row["outcome"])["text"], 200)) for row in rows[:MOST]]
    return visit.show("cache.html", rows=shown, now=now, count=len(rows), hits=sum(row["hits"] for row in rows))


@page("operator")
async def drop(visit: Visit) -> Response:
    key, store = visit.fields.get("key", ""), visit.gateway.cache
    if key not in {row["key"] for row in await store.entries(visit.tenant, time.time())}:
        raise Unserved(404, f"there is no answer {key[:80]!r} here; it may have been dropped")
    await store.invalidate(key)
    return visit.go("/cache")


@page("admin")
async def keys(visit: Visit) -> Response:
    stored = [one for one in await ApiKeys(visit.gateway.store).all() if visit.tenant in (None, one.key.tenant)]
    return visit.show("keys.html", stored=stored, now=datetime.now(UTC))


@page("admin")
async def revoke(visit: Visit) -> Response:
    id, store = visit.fields.get("id", ""), ApiKeys(visit.gateway.store)
    if not any(one.key.id == id and visit.owns(one.key.tenant) for one in await store.all()):
        raise Unserved(404, f"there is no key {id[:80]!r} here")
    await store.revoke(id, datetime.now(UTC))
    return visit.go("/keys")


@page()
async def guardrails(visit: Visit) -> Response:
    """Of one tenant, whose chain it is: the person's own, where that may choose and has not."""
    tenant = visit.tenant or visit.key.tenant
    links = await newest(visit.gateway.store, tenant, MOST)
    entries = [json.loads(link.entry) for link in links]
    return visit.show("guardrails.html", entries=entries, tenant=tenant)
