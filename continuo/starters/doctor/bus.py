"""Who is told of events and alerts."""

import asyncio

from continuo.authoring.library import Library
from continuo.config.alerts import Email, PagerDuty, Slack
from continuo.errors import InputError
from continuo.protection.webhooks import check_url, keys_of
from continuo.starters.doctor.check import Finding
from continuo.starters.store import opened
from continuo.stores.events import newest, positions

MUCH = 1000
"""Events by which a subscriber may be behind."""


async def events(library: Library) -> Finding:
    subscribers = (await asyncio.to_thread(lambda: library.events)).subscribers
    for name, one in subscribers.items():
        if one.url is not None:
            _check_webhook(library, f"subscribers.{name}", one.url)
        elif not library.environ.get("REDIS_URL"):
            raise InputError(f"subscribers.{name}: REDIS_URL is not set; set it, or give the subscriber a `url`")
    names = {*(f"events/{name}" for name in subscribers), *(f"alerts/{name}" for name in library.alerts.channels)}
    return await asyncio.to_thread(asyncio.run, _behind(names, f"{len(subscribers)} subscribers"))


async def alerts(library: Library) -> Finding:
    config = await asyncio.to_thread(lambda: library.alerts)
    for name, one in config.channels.items():
        match one:
            case Slack():
                needed = [one.url_env]
            case PagerDuty():
                needed = [one.key_env]
            case Email():
                needed = [variable for variable in (one.user_env, one.password_env) if variable]
            case _:
                needed = []
                _check_webhook(library, f"channels.{name}", one.url)
        for variable in needed:
            if not library.environ.get(variable):
                raise InputError(f"channels.{name}: {variable} is not set; set it in the environment of the pools")
    message = f"{library.settings.alerts}: {len(config.rules)} rules, {len(config.channels)} channels"
    if config.rules and not config.channels:
        return Finding("ok", f"{message}, so what fires is seen by `continuo alerts` alone")
    return Finding("ok", message)


def _check_webhook(library: Library, where: str, url: str) -> None:
    keys_of(library.environ)
    try:
        check_url(url, private=library.settings.webhook_private)
    except InputError as error:
        raise InputError(f"{where}.url: {error}") from None


async def _behind(names: set[str], message: str) -> Finding:
    async with opened() as database:
        last, known = await newest(database), [one for one in await positions(database) if one.name in names]
    for one in known:
        if one.given_up:
            fix = "mend it, and see `continuo events list` for what it missed"
            return Finding("warning", f"{one.name} did not take {one.given_up:,} events within a day", fix)
        if last - one.seq > MUCH:
            return Finding("warning", f"{one.name} is {last - one.seq:,} events behind", "see the log of the pools")
    return Finding("ok", message)
