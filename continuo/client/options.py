"""What may be said of a run beside its pattern and its prompt."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from pydantic import JsonValue

from continuo.authoring.prepare import validated
from continuo.door import Request
from continuo.jobs import Context, Prefer, Priority
from continuo.messages import Message
from continuo.parameters import Parameters
from continuo.patterns import Step


class Options(TypedDict, total=False):
    """`messages` stand in place of the prompt, and `data` (JSON) beside it or in its place.

    `system` replaces the pattern's instructions, `parameters` win over those of its steps. `id` makes a run idempotent:
    under it a pattern answers once for a tenant, however often it is submitted. `name` is what reports call a pattern
    that is given as a Python object. `deadline` is in seconds, or a text such as `5m`. The others are the fields of
    `continuo.jobs.Context`.
    """

    messages: Sequence[Message]
    data: Mapping[str, JsonValue]
    system: str | None
    parameters: Parameters
    id: str | None
    name: str | None
    tenant: str
    user: str | None
    session: str | None
    prefer: Prefer | None
    priority: Priority
    deadline: float | str | None


def requested(pattern: str | Step, prompt: str | None, options: Options) -> tuple[Request, Context]:
    """What the door takes. Raises `InputError` for an option that is unknown or wrong."""
    context = {name: value for name, value in options.items() if name in Context.model_fields}
    request = {name: value for name, value in options.items() if name not in context}
    return validated(Request, pattern=pattern, prompt=prompt, **request), validated(Context, **context)
