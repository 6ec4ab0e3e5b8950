"""Keys, breakers, and whether any model can answer here."""

import asyncio
from collections.abc import Mapping

from continuo.authoring.library import Library
from continuo.authoring.retiring import soon
from continuo.config.environment import Environment
from continuo.config.protocols import protocol
from continuo.config.settings import unavailable
from continuo.config.sources import WAYS
from continuo.door.breakers import breaker_states
from continuo.errors import ProviderError
from continuo.protection.provider_keys import keys_in
from continuo.providers.client import checked_key
from continuo.starters.doctor.check import Finding
from continuo.starters.store import opened


async def keys(library: Library) -> Finding:
    """Which keys of providers, services and servers of tools are set, by the names of their variables: how many, where
    they are several, and where from."""
    return await asyncio.to_thread(_keys, library)


def _keys(library: Library) -> Finding:
    catalog, environ = library.catalog, library.environ
    several = {provider.key_env for provider in catalog.providers.values()}
    names = dict.fromkeys(endpoint.key_env for endpoint in (*catalog.providers.values(), *catalog.services.values()))
    names |= dict.fromkeys(name for server in catalog.mcp.values() for name in server.variables)
    there, missing = [], []
    for name in filter(None, names):
        text = environ.get(name, "").strip()
        if not text:
            missing.append(name)
            continue
        listed = keys_in(text) if name in several else [text]
        for key in listed:
            try:
                checked_key(name, {name: key})
            except ProviderError as error:
                return Finding("error", str(error), f"set {name} again, as its provider shows it")
        there.append(f"{name}{_about(environ, name, len(listed))}")
    message = f"set: {', '.join(there) or 'none'}; not set: {', '.join(missing) or 'none'}"
    empty = [variable for name in missing for way in WAYS if environ.get(variable := f"{name}_{way.upper()}")]
    if empty:
        fix = f"try the command by hand, or see whether the file is there, as {empty[0]} says"
        return Finding("warning", f"{message}; {' and '.join(empty)} gave nothing", fix)
    return Finding("ok", message)


def _about(environ: Mapping[str, str], name: str, count: int) -> str:
    said = [f"{count} keys"] if count > 1 else []
    if isinstance(environ, Environment) and (origin := environ.origin(name)) != "environment":
        said.append(origin)
    return f" ({', '.join(said)})" if said else ""


async def breakers(library: Library) -> Finding:
    """Which providers are left alone, and why: one that was drained and forgotten is found here."""
    return await asyncio.to_thread(asyncio.run, _breakers(library))


async def _breakers(library: Library) -> Finding:
    async with opened() as database:
        states = await breaker_states(database, library.catalog.providers)
    left = [state for state in states.values() if state.state == "open"]
    if not left:
        return Finding("ok", "none is open")
    message = "; ".join(f"{state.provider} is open: {state.why}" for state in left)
    return Finding("warning", message, f"once it is well again: continuo breakers reset {left[0].provider}")


async def retirements(library: Library) -> Finding:
    """Whether a pattern asks a model that retires within 90 days, or has retired."""
    leaving = await asyncio.to_thread(soon, library)
    if not leaving:
        return Finding("ok", "no pattern asks a model that retires soon")
    message = "; ".join(map(str, leaving))
    return Finding("warning", message, f"try another one: continuo retire {leaving[0].model} --with MODEL")


async def models(library: Library) -> Finding:
    """Whether a model can answer here; the knowledge provider, which only finds what is written, is none."""
    return await asyncio.to_thread(_models, library)


def _models(library: Library) -> Finding:
    fixes = {
        name: unavailable(provider, library.environ, simulated=library.settings.simulated)
        for name, provider in library.catalog.providers.items()
        if not protocol(provider.protocol).in_process
    }
    ready = [name for name, fix in fixes.items() if not fix]
    real = [name for name in ready if not library.catalog.providers[name].simulated]
    if real:
        return Finding("ok", f"can be asked: {', '.join(real)}")
    fix = next((fix for fix in fixes.values() if fix), "add a provider to the catalog")
    if not ready:
        return Finding("error", "no model can be asked", fix)
    if library.settings.simulated:
        return Finding("ok", "simulated ones alone, since CONTINUO_SIMULATED is set")
    return Finding("warning", "simulated ones alone", f"{fix}, or the key of another provider, to ask a real one")
