"""A step with something around it: a cache, a time limit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from continuo.data import Int, Seconds
from continuo.patterns.base import Spec, otherwise
from continuo.patterns.choices import KeyField, Semantic

if TYPE_CHECKING:
    from continuo.patterns.step import Step


class Cached(Spec):
    """Look the answer up, else run `step` and keep what it answers for `ttl`.

    In Python `step` may come first: `Cached(step, ttl=60)`.
    `key` names what makes two jobs the same: `prompt` (the last turn), `messages` (all turns), `system`, `tools`,
    `response_schema`, `max_tokens`, `temperature`, `user`, `data`, or `data.NAME` of one field; default: the whole
    request and its data, for all users of a tenant. The tenant and the step itself are always part of it.
    At most `max_size` answers are kept for a tenant; the least recently used go first.
    """

    kind: Literal["cached"] = "cached"
    step: "Step"
    ttl: Seconds = 3600.0
    max_size: Int = Field(default=10_000, ge=1, le=10_000_000)
    key: tuple[KeyField, ...] = ()
    semantic: Semantic | None = None

    def __init__(self, step: "Step | None" = None, /, **fields: object) -> None:
        super().__init__(**(fields if step is None else {"step": step, **fields}))

    def nested(self) -> "Mapping[str, Step]":
        return {"miss": self.step}


class Deadline(Spec):
    """Cancel `step` after `limit`; then `otherwise` answers, or it fails with `DeadlineExceeded`."""

    kind: Literal["deadline"] = "deadline"
    step: "Step"
    limit: Seconds
    otherwise: "Step | None" = None

    def __init__(self, step: "Step | None" = None, /, **fields: object) -> None:
        super().__init__(**(fields if step is None else {"step": step, **fields}))

    def nested(self) -> "Mapping[str, Step]":
        return {"step": self.step, **otherwise(self.otherwise)}
