"""Keys, and whether any model can answer here."""

import asyncio

from continuo.authoring.library import Library
from continuo.config.protocols import protocol
from continuo.config.settings import unavailable
from continuo.errors import ProviderError
from continuo.providers.client import checked_key
from continuo.starters.doctor.check import Finding


async def keys(library: Library) -> Finding:
    """Which keys of providers, services and servers of tools are set, by the names of their variables."""
    catalog, environ = await asyncio.to_thread(lambda: library.catalog), library.environ
    endpoints = [*catalog.providers.values(), *catalog.services.values()]
    names = dict.fromkeys(endpoint.key_env for endpoint in endpoints if endpoint.key_env)
    names |= dict.fromkeys(name for server in catalog.mcp.values() for name in server.variables)
    there = [name for name in names if environ.get(name, "").strip()]
    for name in there:
        try:
            checked_key(name, environ)
        except ProviderError as error:
            return Finding("error", str(error), f"set {name} again, as its provider shows it")
    missing = [name for name in names if name not in there]
    return Finding("ok", f"set: {', '.join(there) or 'none'}; not set: {', '.join(missing) or 'none'}")


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
