"""Signatures of thoughts that cross a dialect: which protocol's they are is told before them, unless its own."""

from typing import get_args

from continuo.parts import Reasoning
from continuo.wire.pieces import Protocol


def signature(own: Protocol, protocol: Protocol | None, value: str | None) -> str:
    """What a dialect of the protocol `own` tells as the signature, so that it can come back."""
    return value or "" if protocol in (None, own) else f"{protocol}:{value or ''}"


def thought(own: Protocol, value: str, *, text: str = "", redacted: bool = False) -> Reasoning:
    """The thought that was told with this signature."""
    protocol, colon, rest = value.partition(":")
    if colon and protocol in get_args(Protocol):
        return Reasoning.model_validate(
            {"protocol": protocol, "text": text, "signature": rest or None, "redacted": redacted}
        )
    return Reasoning(protocol=own, text=text, signature=value or None, redacted=redacted)
