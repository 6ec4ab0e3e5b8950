"""The patterns, each drawn as its YAML says with what its runs come to, and a playground that runs one."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from starlette.responses import Response

from continuo.authoring.library import Library
from continuo.authoring.outline import Node, outline
from continuo.authoring.to_yaml import to_yaml
from continuo.door.request import Request
from continuo.errors import InputError
from continuo.operations.reports import Sums
from continuo.operations.runs import RunQuery
from continuo.starters.gateway.callers import resolver
from continuo.starters.gateway.runs import Later, admitted_of
from continuo.starters.gateway.ui.visits import Unserved, Visit, page
from continuo.stores.reports import by_step
from continuo.stores.runs import totals
from continuo.wire.errors import WireError

DAYS = 7
"""Of a pattern's figures."""


@page()
async def list_patterns(visit: Visit) -> Response:
    return visit.show("patterns.html", patterns=await asyncio.to_thread(_patterns, visit))


@page()
async def show(visit: Visit) -> Response:
    name, library = visit.fields.get("name", ""), visit.gateway.door.library
    if not visit.key.allows_pattern(name) or name not in await asyncio.to_thread(library.names):
        raise Unserved(404, f"there is no pattern {name[:80]!r} here")
    since = datetime.now(UTC) - timedelta(days=DAYS)
    node, text = await asyncio.to_thread(_drawn, library, name)
    query = RunQuery(pattern=name, tenant=visit.tenant, since=since)
    sums = await by_step(visit.gateway.store, name, visit.tenant, since.date())
    return visit.show(
        "pattern.html",
        name=name,
        node=node,
        yaml=text,
        description=library.named(name).description,
        totals=await totals(visit.gateway.store, query),
        sums=sums,
        nothing=Sums(),
        days=DAYS,
    )


@page("operator")
async def playground(visit: Visit) -> Response:
    return await _asking(visit)


@page("operator")
async def run(visit: Visit) -> Response:
    """Starts it, and shows it as it goes."""
    gateway, key, fields = visit.gateway, visit.key, visit.fields
    try:
        pattern = await asyncio.to_thread(resolver(gateway.door.library, key), fields.get("pattern", ""))
        prompt = fields.get("prompt", "").replace("\r\n", "\n")
        if not prompt.strip():
            raise InputError("prompt: write one")
        # With an id it is a run, whatever answers it.
        request = Request(pattern=pattern, prompt=prompt, stream=True, id=uuid4().hex)
        async with admitted_of(gateway, key, request) as admitted:
            checked = await gateway.door.check(request, key.context())
            started = await gateway.running.start(checked, is_new=True)
        await gateway.limits.release(admitted, None)
    except (InputError, WireError, Later) as error:
        return await _asking(visit, why=str(error), status=getattr(error, "status", 400))
    return visit.go("/run", id=started.id)


async def _asking(visit: Visit, *, why: str | None = None, status: int = 200) -> Response:
    names = await asyncio.to_thread(visit.gateway.door.library.names)
    allowed = [name for name in names if visit.key.allows_pattern(name)]
    return visit.show("playground.html", status, names=allowed, why=why)


def _patterns(visit: Visit) -> list[tuple[str, str, str]]:
    """The name of each, with its kind and what it is for, or what is wrong with it."""
    library, rows = visit.gateway.door.library, []
    for name in filter(visit.key.allows_pattern, library.names()):
        try:
            named = library.named(name)
            rows.append((name, named.pattern.kind, named.description))
        except InputError as error:
            rows.append((name, "wrong", str(error)))
    return rows


def _drawn(library: Library, name: str) -> tuple[Node, str]:
    node = outline(library.step(name), name, library.catalog, input_tokens=1000, output_tokens=500)
    return node, to_yaml(library.named(name).pattern)
