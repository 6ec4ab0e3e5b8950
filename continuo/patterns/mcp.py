"""A call of a tool of an MCP server."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Seconds, duration
from continuo.patterns.base import Retry, Spec
from continuo.patterns.worst import Estimate, Estimator


class Mcp(Spec):
    """One call of a `tool` of a `server` of the catalog.

    `input` gives its arguments, as texts that may hold `{placeholders}`: a field of the job's data, `{input}`, what the
    step is asked, or `{saga}`, the identity of the saga that runs it. A text that is one placeholder becomes its value,
    whatever its type. Without `input` each argument is given what is called as it is. The answer's text is the tool's.
    `timeout` is for one attempt.
    With `reveals` it gets the values of personal data and secrets that were replaced by placeholders, and what comes
    back is withheld as what is asked is.
    """

    kind: Literal["mcp"] = "mcp"
    server: str
    tool: str = Field(min_length=1, max_length=128)
    input: dict[str, str] = {}
    timeout: Seconds = 60.0
    retry: Retry = Retry()
    reveals: Annotated[bool, Field(exclude_if=lambda value: not value)] = False

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.repeated(Estimate(seconds=self.timeout), self.retry)

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"{self.tool} of {self.server}", f"{self.retry.attempts} x {duration(self.timeout)}"]
