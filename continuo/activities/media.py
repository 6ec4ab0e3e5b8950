"""The content of a request's media, loaded just before it is encoded."""

from collections.abc import Mapping
from functools import partial
from time import time

from continuo.activities.errors import patiently
from continuo.errors import ProviderError
from continuo.messages import ModelRequest
from continuo.stores.payloads import Payloads


async def media_of(request: ModelRequest, payloads: Payloads) -> Mapping[str, bytes]:
    """The content of every medium by its SHA-256, used now. Raises a final `ProviderError` for one that is not kept."""
    contents: dict[str, bytes] = {}
    for part in request.media:
        content = await patiently("the store of media", partial(payloads.use, part.sha256, time()))
        if content is None:
            what = f"the {part.kind} {part.name or part.sha256} is not in the store of this worker"
            advice = "start runs with CONTINUO_DATA and DATABASE_URL as the pools have them, and within its retention"
            raise ProviderError("invalid_request", f"{what}; {advice}")
        contents[part.sha256] = content
    return contents
