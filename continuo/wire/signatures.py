"""Signatures that cross a dialect: whose a thought's is, is told before it, and a call's is told in the call's id."""

from continuo.config.protocols import is_protocol
from continuo.messages import ToolCall
from continuo.parts import Reasoning


def signature(own: str, protocol: str | None, value: str | None) -> str:
    """What a dialect of the protocol `own` tells as the signature, so that it can come back."""
    return value or "" if protocol in (None, own) else f"{protocol}:{value or ''}"


def thought(own: str, value: str, *, text: str = "", redacted: bool = False) -> Reasoning:
    """The thought that was told with this signature."""
    protocol, colon, rest = value.partition(":")
    if colon and is_protocol(protocol):
        return Reasoning(protocol=protocol, text=text, signature=rest or None, redacted=redacted)
    return Reasoning(protocol=own, text=text, signature=value or None, redacted=redacted)


_SIGNED = ":google:"
"""Between the id of a call and its signature. Dialects have no field for it, but every client sends the id back."""


def signed_id(id: str, signature: str | None) -> str:
    """The id of a call as it is told."""
    return f"{id}{_SIGNED}{signature}" if signature else id


def call_id(signed: str) -> str:
    """The id of the call, of the one that carries its signature too."""
    return signed.partition(_SIGNED)[0]


def call_of(signed: str, name: str, arguments: str) -> ToolCall:
    id, _, signature = signed.partition(_SIGNED)
    return ToolCall(id=id, name=name, arguments=arguments, signature=signature or None)
