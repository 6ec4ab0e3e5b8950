"""The file that a batch is made of, read and checked, and how its lines are done."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from continuo.door.request import Line
from continuo.operations.batches import Origin, Terms
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.callers import resolver
from continuo.starters.gateway.files import content_of, found_file
from continuo.starters.gateway.runs import context_of
from continuo.starters.gateway.state import Gateway
from continuo.wire.accepted import Accepted
from continuo.wire.batches import openai
from continuo.wire.batches.endpoints import Endpoint
from continuo.wire.errors import WireError, refusing

Lines = Sequence[tuple[Line, Accepted]]


class Input(NamedTuple):
    """What is in a file, with placeholders, and what each of its lines asks."""

    content: bytes
    lines: Lines


async def read_input(gateway: Gateway, key: ApiKey, file_id: str, endpoint: Endpoint) -> Input:
    """Raises `WireError` for a file that is not the tenant's, and with the line of the first that is wrong."""
    content = await content_of(gateway, await found_file(gateway, key, file_id))
    resolve = resolver(gateway.door.library, key)
    return Input(content, await asyncio.to_thread(lambda: list(openai.lines(content, endpoint, resolve))))


async def terms_of(gateway: Gateway, key: ApiKey, origin: Origin, lines: Lines, **more: object) -> Terms:
    """For the key, by the pattern of the first line; `more` are other fields. Raises `WireError` without a line."""
    if not lines:
        raise WireError(400, "there is no request; send one a line", "input_file_id", "empty_batch")
    request = lines[0][0].request
    context = context_of(key, priority="batch", pattern=request.pattern_name)
    with refusing():
        step = await asyncio.to_thread(gateway.door.library.step, request.pattern)
    return Terms.model_validate({"step": step, "context": context, "origin": origin, **more})
