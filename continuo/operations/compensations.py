"""What a person decides on a compensation that is parked."""

from typing import Literal

from continuo.data import Data

Decision = Literal["retry", "skip"]


class Resolution(Data):
    """A person's decision on a compensation that is parked: try it again, or leave it undone."""

    step: str
    decision: Decision
    by: str
    note: str = ""
