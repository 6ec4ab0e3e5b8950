"""What a dialect makes of a body."""

from collections.abc import Mapping
from dataclasses import dataclass

from continuo.door.request import Request
from continuo.parts import Media


@dataclass(frozen=True)
class Accepted:
    """What is submitted at the door; `media` has the content of those in the request. Where it `goes_on`, no client
    that leaves ends it. One that is to be done `once` is always a run, which a repeated request finds. Of several
    `choices` each is a run, and so they are of each of the `others` that come in the same body."""

    request: Request
    media: Mapping[Media, bytes]
    goes_on: bool = False
    once: bool = False
    choices: int = 1
    others: tuple[Request, ...] = ()

    @property
    def requests(self) -> tuple[Request, ...]:
        """All of them, in their order."""
        return (self.request, *self.others)

    @property
    def runs(self) -> int:
        """How many there will be."""
        return len(self.requests) * self.choices
