"""A function of one's own code."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Seconds, duration
from continuo.patterns.base import Retry, Spec
from continuo.patterns.worst import Estimate, Estimator

FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")]
"""`package.module:name`."""


class Python(Spec):
    """One call of a function, `package.module:name`, of a module that the project or an entry point names.

    `input` gives its parameters, or the fields of the one pydantic model that it takes, as texts that may hold
    `{placeholders}`: a field of the job's data, `{input}`, what the step is asked, or `{saga}`, the identity of the
    saga that runs it. A text that is one placeholder becomes its value, whatever its type. Without `input` each
    parameter is given what is called as it is. The answer's text is the result, as JSON unless it is a text.
    `timeout` is for one attempt.
    With `reveals` it gets the values of personal data and secrets that were replaced by placeholders, and what comes
    back is withheld as what is asked is.
    """

    kind: Literal["python"] = "python"
    function: FunctionName
    input: dict[str, str] = {}
    timeout: Seconds = 60.0
    retry: Retry = Retry()
    reveals: Annotated[bool, Field(exclude_if=lambda value: not value)] = False

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.repeated(Estimate(seconds=self.timeout), self.retry)

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [self.function, f"{self.retry.attempts} x {duration(self.timeout)}"]
