"""A step with a cache around it."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from continuo.data import Int, Seconds, duration
from continuo.patterns.base import Spec
from continuo.patterns.call import Call
from continuo.patterns.choices import KeyField, Semantic
from continuo.patterns.worst import Estimate, Estimator

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

    def answering(self) -> Iterable[str]:
        return self.nested()

    def worst(self, estimator: Estimator) -> Estimate:
        inner = estimator.all([self.step])
        if self.semantic is None:
            return inner
        # An embedding has no output; it is asked as a call that says nothing of its own time-out and retries.
        embedding = Call(model=self.semantic.model)
        once = estimator.request(embedding.model, 0, embedding.timeout)
        return estimator.repeated(once, embedding.retry) + inner

    def about(self, price: Callable[[str], str]) -> list[str]:
        key = [f"key {', '.join(self.key)}"] if self.key else []
        semantic = [f"like by {self.semantic.model} from {self.semantic.threshold:g}"] if self.semantic else []
        return [f"ttl {duration(self.ttl)}", *key, *semantic]
