"""A request to a service."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Seconds, duration
from continuo.patterns.base import Retry, Spec
from continuo.patterns.worst import Estimate, Estimator


class Http(Spec):
    """One request to a service of the catalog, with an idempotency key that is the same on every attempt.

    `path` may hold `{placeholders}`: a field of the job's data, or `{saga}`, the identity of the saga that runs it.
    The body is the job's data as JSON; the answer's text is the response's body. A status from 200 to 299 is success.
    With `reveals` it gets the values of personal data and secrets that were replaced by placeholders, and what comes
    back is withheld as what is asked is.
    """

    kind: Literal["http"] = "http"
    service: str
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str = Field(pattern="^/")
    timeout: Seconds = 10.0
    retry: Retry = Retry()
    reveals: Annotated[bool, Field(exclude_if=lambda value: not value)] = False

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.repeated(Estimate(seconds=self.timeout), self.retry)

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"{self.method} {self.service}{self.path}", f"{self.retry.attempts} x {duration(self.timeout)}"]
