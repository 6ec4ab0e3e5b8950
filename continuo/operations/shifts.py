"""What Temporal knows the shifts of adaptive splits by, and what these came to."""

from continuo.data import Data
from continuo.jobs import Priority

TYPE = "ShiftSplits"
"""The workflow type."""

SCHEDULE = "shift-splits"
"""The id of the schedule, with which begin the ids of all that it starts."""

QUEUE: Priority = "standard"


class Shifted(Data):
    """By the pattern's name, of those that were shifted a line of why for each variant, and why the rest were not."""

    shifted: dict[str, dict[str, str]] = {}
    unchanged: dict[str, str] = {}
