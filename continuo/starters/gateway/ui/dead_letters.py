"""The jobs that failed for good: retried, as they were or by another pattern, or given up."""

import asyncio
import json

from starlette.responses import Response

from continuo.door.dead_letters import Entry, open_letters
from continuo.door.stages import again
from continuo.starters.gateway.ui.visits import Unserved, Visit, page


@page()
async def list_letters(visit: Visit) -> Response:
    return visit.show("dead_letters.html", entries=await _open(visit))


@page()
async def show(visit: Visit) -> Response:
    entry, library = await _named(visit), visit.gateway.door.library
    letter = await entry.letter()
    masked = type(letter).model_validate_json(library.masker.json(letter.model_dump_json()))
    return visit.show("dead_letter.html", entry=entry, letter=masked, data=json.dumps(masked.job.data, indent=2))


@page("operator")
async def act(visit: Visit) -> Response:
    entry, fields = await _named(visit), visit.fields
    if fields.get("act") == "discard":
        await entry.send("discard", f"{visit.key.name}: {fields.get('note', '')}")
        return visit.go("/dead-letters")
    pattern = fields.get("pattern") or None
    if pattern is not None and not visit.key.allows_pattern(pattern):
        raise Unserved(403, f"pattern: the key may not use {pattern[:80]!r}")
    # It may look whether a local server listens.
    await asyncio.to_thread(again, visit.gateway.door.library, (await entry.letter()).job, pattern)
    await entry.send("retry", pattern)
    return visit.go("/run", id=entry.brief["workflow_id"])


async def _named(visit: Visit) -> Entry:
    id = visit.fields.get("id", "")
    for entry in await _open(visit):
        if entry.handle.id == id:
            return entry
    raise Unserved(404, f"there is no open letter {id[:200]!r} here; it may have been closed")


async def _open(visit: Visit) -> list[Entry]:
    door = visit.gateway.door
    entries = await open_letters(door.client, door.library.settings.ui_url)
    return [entry for entry in entries if visit.tenant in (None, entry.brief["tenant"])]
