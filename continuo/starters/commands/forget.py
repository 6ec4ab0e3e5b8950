"""`continuo forget`: what the stores and Temporal have of a user goes."""

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from continuo.authoring.prepare import validated
from continuo.config.settings import Settings, environment
from continuo.errors import InputError
from continuo.guardrails.private import pseudonym_end
from continuo.jobs import Context
from continuo.operations.forgetting import Forgotten
from continuo.protection.vault_key import vault_key
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened, usable
from continuo.stores.forgetting import Traces
from continuo.stores.opened import cache_place, open_cache, opened_payloads, opened_streams, scrub, store_place


async def forget(
    *,
    user: str,
    tenant: str | None = None,
    yes: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Erase what the stores and Temporal have of a user; without --yes it is only counted.

    Parameters
    ----------
    user
        The user, by the name that the runs had.
    tenant
        The user of this tenant alone; else of each tenant that has one of this name.
    yes
        Erase it. Exit code 1 where something has to stay, which is told.
    json
        Print the counts as JSON.
    """
    context = validated(Context, user=user, **({"tenant": tenant} if tenant is not None else {}))
    settings, environ = Settings(), environment()
    pseudonym = pseudonym_end(vault_key(settings.data, environ).secret, user)
    traces = Traces(user=user, tenant=None if tenant is None else context.tenant, pseudonym=pseudonym)
    places = {place.url: place for place in (store_place(settings, environ), cache_place(settings, environ))}
    broken = tuple(error for place in places.values() for error in place.broken)
    from continuo.door.forgetting import forget as forgotten
    from continuo.temporal.connect import connect
    from continuo.temporal.namespace import namespace_of

    async with AsyncExitStack() as resources:
        client = await connect()
        store = await resources.enter_async_context(opened())
        fix = "start what it names, or correct DATABASE_URL and REDIS_URL"
        cache = await resources.enter_async_context(
            usable(lambda: open_cache(settings, environ), broken, "the cache", fix)
        )
        large = await resources.enter_async_context(opened_payloads(settings, environ, store))
        streams = await resources.enter_async_context(opened_streams(settings, environ))
        namespace = (await namespace_of(client)).id
        try:
            result = await forgotten(client, namespace, store, large, cache, streams, traces, dry_run=not yes)
        except broken as error:
            raise InputError(f"cannot use the stores: {error}; what is erased is erased, begin again") from None
    if yes:
        result = result.model_copy(update={"unscrubbed": await asyncio.to_thread(scrub, settings, environ)})
    _print(result, json=json)
    return int(yes and bool(result.left))


def _print(result: Forgotten, *, json: bool) -> None:
    if json:
        out.out(result.model_dump_json(indent=2))
    else:
        table = Table("of", "would go" if result.dry_run else "gone")
        for part, count in result.counts.items():
            table.add_row(part, f"{count:,}")
        out.print(table)
        out.print(f"tenants: {', '.join(result.tenants) or 'none has this user'}")
        if result.dry_run:
            out.print("nothing is erased yet; add --yes")
    for line in result.left:
        err.print(f"warning: left: {line}")
