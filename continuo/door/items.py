"""What an item of a batch is: a text, which is its prompt, or an object with some of a request's fields."""

from collections.abc import Mapping

from continuo.errors import InputError

FIELDS = ("prompt", "messages", "system", "data", "parameters", "id")
"""What an item may have, as `Request` has it."""


def item_fields(value: object, known: tuple[str, ...] = FIELDS) -> dict[str, object]:
    """The fields of an item, of those that are `known`. Raises `InputError` for what is none."""
    if isinstance(value, str):
        return {"prompt": value}
    if not isinstance(value, Mapping):
        raise InputError('an item is a text or an object; write "…" or {"prompt": "…"}')
    if wrong := sorted(str(name) for name in value if name not in known):
        fix = 'put what a pattern acts on into "data"' if "data" not in value else "leave it out"
        raise InputError(f"{wrong[0][:80]!r} is no field of an item, which are {', '.join(known)}; {fix}")
    return dict(value)
