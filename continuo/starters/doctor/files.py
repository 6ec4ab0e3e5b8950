"""The files that an operator edits."""

import asyncio

from continuo.authoring.library import Library
from continuo.errors import InputError
from continuo.starters.doctor.check import Finding, wrong


async def catalog(library: Library) -> Finding:
    content = await asyncio.to_thread(lambda: library.catalog)
    return Finding(
        "ok", f"{library.settings.catalog}: {len(content.models)} models of {len(content.providers)} providers"
    )


async def tenants(library: Library) -> Finding:
    content = await asyncio.to_thread(lambda: library.tenants)
    return Finding("ok", f"{library.settings.tenants}: {len(content.tenants)} tenants beside the default")


async def guardrails(library: Library) -> Finding:
    content = await asyncio.to_thread(lambda: library.guardrails)
    own = len(content.tenants) + len(content.patterns) + len(content.keys)
    return Finding("ok", f"{library.settings.guardrails}: {own} tables beside the default")


async def rules(library: Library) -> Finding:
    book = await asyncio.to_thread(lambda: library.rules)
    if book is None:
        return Finding("ok", "there are none")
    return Finding("ok", f"{library.settings.rules}: {len(book.rules)} rules")


async def patterns(library: Library) -> Finding:
    return await asyncio.to_thread(_patterns, library)


def _patterns(library: Library) -> Finding:
    _ = library.catalog  # Raises, where it is wrong: else each pattern would.
    names, mistakes = library.names(), list[InputError]()
    for name in names:
        try:
            library.step(name)
        except InputError as error:
            mistakes.append(error)
    if not mistakes:
        return Finding("ok", f"{len(names)} patterns are right and can run here")
    first = wrong(mistakes[0])
    more = f" (and {len(mistakes) - 1} more, see `continuo patterns`)" if len(mistakes) > 1 else ""
    return first._replace(message=f"{first.message}{more}")
