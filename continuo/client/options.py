"""What may be said of a run beside its pattern and its prompt."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from pydantic import JsonValue

from continuo.authoring.prepare import validated
from continuo.client.media import Medium, media_of
from continuo.door import Request
from continuo.jobs import Context, Prefer, Priority
from continuo.messages import Message
from continuo.parameters import Parameters
from continuo.parts import Media
from continuo.patterns import Step


class Whom(TypedDict, total=False):
    """For whom it is run, and how soon, as `continuo.jobs.Context` has it. `deadline` is in seconds, or a text such as
    `5m`."""

    tenant: str
    user: str | None
    session: str | None
    prefer: Prefer | None
    priority: Priority
    deadline: float | str | None


class Options(Whom, total=False):
    """`media` are images, audio and files, as paths or as pairs of a name and bytes; they stand before the prompt or in
    its place. `messages` stand in place of the prompt, and `data` (JSON) beside it or in its place.

    `system` replaces the pattern's instructions, `parameters` win over those of its steps. `id` makes a run idempotent:
    under it a pattern answers once for a tenant, however often it is submitted. `name` is what reports call a pattern
    that is given as a Python object. With `stream` the pieces of the answer are kept as they come, for `Run.stream`.
    `conversation` is a field of `continuo.jobs.Context`, as those of `Whom` are.
    """

    media: Sequence[Medium]
    messages: Sequence[Message]
    data: Mapping[str, JsonValue]
    system: str | None
    parameters: Parameters
    id: str | None
    name: str | None
    stream: bool
    conversation: str | None


def requested(pattern: str | Step, prompt: str | None, options: Options) -> tuple[Request, Context, dict[Media, bytes]]:
    """What the door takes; it reads the files of media. Raises `InputError` for an option that is unknown or wrong."""
    media = media_of(options.get("media", ()))
    context = {name: value for name, value in options.items() if name in Context.model_fields}
    request = {name: value for name, value in options.items() if name not in context}
    request["media"] = tuple(media)
    return validated(Request, pattern=pattern, prompt=prompt, **request), validated(Context, **context), media
