"""What a dialect makes of a body."""

from collections.abc import Mapping
from dataclasses import dataclass

from continuo.door.request import Request


@dataclass(frozen=True)
class Accepted:
    """What is submitted at the door. `blobs`, by their SHA-256, are to be kept before that."""

    request: Request
    blobs: Mapping[str, bytes]
