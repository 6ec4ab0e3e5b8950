"""Server-sent events as the SDKs read them: a name and data, neither `id:` nor `retry:`."""

from collections.abc import Mapping

import orjson


def event(name: str, data: Mapping[str, object]) -> bytes:
    """An event whose data have their name as `type`."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps({"type": name, **data}))
