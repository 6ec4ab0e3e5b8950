"""A pattern that stands in a file of its own."""

from typing import Literal

from pydantic import Field

from continuo.patterns.base import Spec


class Named(Spec):
    """The named `pattern`, whole, in this place. A run has it as its file is when the run begins, and never sees this
    step itself."""

    kind: Literal["named"] = "named"
    pattern: str = Field(min_length=1, max_length=200)
