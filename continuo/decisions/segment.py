"""What of a job's data can stand in the path of a request."""

from urllib.parse import quote

from pydantic import JsonValue


def segment(value: JsonValue) -> str | None:
    """The value as one part of a path, escaped; None for what is none, such as null, a list, a truth or `..`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = quote(str(value), safe="")
    return None if text in ("", ".", "..") else text
