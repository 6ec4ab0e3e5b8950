"""Server-sent events as the SDKs read them: data and perhaps a name, neither `id:` nor `retry:`."""

from collections.abc import Mapping

from continuo.wire.written import written


def data(value: Mapping[str, object]) -> bytes:
    """An event without a name."""
    return b"data: %b\n\n" % written(value)


def event(name: str, data: Mapping[str, object]) -> bytes:
    """An event whose data have their name as `type`."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), written({"type": name, **data}))
