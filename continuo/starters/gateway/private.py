"""What comes in is kept with placeholders alone, and what goes out has the values again."""

import asyncio
import json
import time
from functools import partial
from typing import Any, NamedTuple

from continuo.guardrails.private import Private
from continuo.guardrails.restoring import Restoring
from continuo.jobs import Context
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.state import Gateway
from continuo.stores.vault import Values
from continuo.wire.errors import refusing
from continuo.wire.kept import is_id

SMALL = 4096
"""Bytes of a body that is read in the event loop: the worst of this size that was tried takes 6 ms, and most take less
than the way to a thread."""


class Body(NamedTuple):
    """A body with placeholders, and what they stand for."""

    content: bytes
    private: Private


async def withheld(gateway: Gateway, key: ApiKey, content: bytes, *own: str) -> Body:
    """The body as everything behind this sees it; what is no JSON is left to the form that it should have.

    What it goes on from, and what has its `own` ids, lend it their placeholders. Raises `WireError` for what the
    guardrails reject.
    """
    small = len(content) <= SMALL
    read = _json(content) if small else await asyncio.to_thread(_json, content)
    fields = read if isinstance(read, dict) else {}
    ids = [id for id in (*own, *map(_id, map(fields.get, ("conversation", "previous_response_id")))) if id]
    values, model = (await restoring(gateway, key, *ids)).values, fields.get("model")
    # Several may add to a conversation at once.
    spread = any(id.startswith("conv_") for id in ids)
    context, pattern = key.context(), model if isinstance(model, str) else ""
    with refusing():
        async with gateway.door.refusals(context, pattern):
            private = await _private(gateway, context, pattern, values, spread=spread)
            work = (content, read, private)
            return Body(_withheld(*work) if small else await asyncio.to_thread(_withheld, *work), private)


async def withheld_lines(gateway: Gateway, key: ApiKey, content: bytes) -> Body:
    """The same for JSON line by line; what is none is left as it is."""
    context = key.context()
    with refusing():
        async with gateway.door.refusals(context, ""):
            private = gateway.door.withholding.private(context, "")

            def lines() -> bytes:
                return b"\n".join(_withheld(line, _json(line), private) for line in content.split(b"\n"))

            return Body(await asyncio.to_thread(lines), private)


async def keep(gateway: Gateway, key: ApiKey, private: Private, *ids: str) -> None:
    """Keep what the placeholders stand for, for those who ask for the answer, the conversation or the job later."""
    if private.policy.restore:
        for id in ids:
            await gateway.vault.keep(key.tenant, id, private.values, time.time())


async def restoring(gateway: Gateway, key: ApiKey, *ids: str) -> Restoring:
    """What was kept for these ids. Raises `WireError` where it cannot be read."""
    with refusing():
        return Restoring(await gateway.vault.values(key.tenant, *ids))


def restored_lines(content: bytes, private: Restoring) -> bytes:
    """JSON line by line with the values; a line without a placeholder is as it was sent."""
    if not private.values:
        return content
    return b"\n".join(map(partial(_restored_line, private=private), content.split(b"\n")))


async def _private(gateway: Gateway, context: Context, pattern: str, values: Values, *, spread: bool) -> Private:
    library = gateway.door.library
    # It may have to be read, and servers be tried.
    step = await asyncio.to_thread(library.step, pattern) if pattern in library.names() else None
    return gateway.door.withholding.private(context, pattern, step, values, spread=spread)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _restored_line(line: bytes, private: Restoring) -> bytes:
    if b"<" not in line or (read := _json(line)) is None:
        return line
    return json.dumps(private.restored_wire(read), ensure_ascii=False).encode()


def _withheld(content: bytes, read: Any, private: Private) -> bytes:
    made = private.wire(read)
    return content if made is read else json.dumps(made).encode()


def _id(value: Any) -> str | None:
    value = value.get("id") if isinstance(value, dict) else value
    return value if isinstance(value, str) and is_id(value) else None
