"""Links with which one person decides one review, signed so that nobody makes or changes one."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from pydantic import ValidationError

from continuo.data import Data
from continuo.errors import InputError
from continuo.patterns.review import Decided, Reviewer

PATH = "/reviews/decide"
"""Of the page at a gateway. The link stands in the query, which no log has."""


class ReviewLink(Data):
    """What a link lets its holder do: the `reviewer` takes one of the `decisions` on what was `shown`, a digest, before
    `expires`, in seconds since 1970. It is good for one decision, since a reviewer has one on each review."""

    review: str
    tenant: str
    reviewer: Reviewer
    decisions: tuple[Decided, ...]
    shown: str
    expires: int


def token_of(link: ReviewLink, key: str) -> str:
    """The link as text for an address, signed with the key."""
    content = _encoded(link.model_dump_json().encode())
    return f"{content}.{_encoded(_signature(content, key))}"


def link_of(token: str, keys: Sequence[str], now: float) -> ReviewLink:
    """The link that one of the keys has signed. Raises `InputError` for any other, and for one that has expired."""
    content, _, signature = token.partition(".")
    try:
        given = urlsafe_b64decode(f"{signature}==".encode("ascii"))
        if not any(hmac.compare_digest(given, _signature(content, key)) for key in keys):
            raise InputError("this link is none of ours, or a part of it is missing; copy it whole")
        link = ReviewLink.model_validate_json(urlsafe_b64decode(f"{content}=="))
    except (UnicodeEncodeError, binascii.Error, ValidationError):
        raise InputError("this link is none of ours, or a part of it is missing; copy it whole") from None
    if link.expires <= now:
        raise InputError("this link has expired; ask for another one")
    return link


def _signature(content: str, key: str) -> bytes:
    # A key of its own, so that no signature of a webhook is one of a link.
    own = hmac.digest(key.encode(), b"review links", sha256)
    return hmac.digest(own, content.encode(), sha256)


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
