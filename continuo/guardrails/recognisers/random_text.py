"""Whether a text looks drawn at random, as keys are, or written by a person, as names are."""

from collections import Counter
from math import log2

from continuo.regex import of_bytes

WORDS = of_bytes(r"(?:(?:[A-Z]?[a-z]+[0-9]{0,3}|[A-Z]{2,}|[0-9]+)(?:[-_./:=]+|$))+")
NAMES = of_bytes(r"(?:(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}|[0-9]{1,4}|[A-Z])[-_./:=,+@#&?]*)+")
LEAST = 3.0
"""Bits a character of a key: 20 letters and digits at random have 4, an ordinary word has less than 3."""


def is_slug(data: bytes) -> bool:
    """Whether it is words and numbers with signs between, as sk-fading-circle-2, or has hardly any characters."""
    return len(set(data)) < 8 or WORDS.fullmatch(data) is not None


def is_random(data: bytes) -> bool:
    """Whether it has digits, or capital and small letters at length, and is no name such as `user_2` or `getToken`."""
    if data.isdigit() or b"://" in data or _entropy(data) < LEAST or is_name(data):
        return False
    return any(byte in b"0123456789" for byte in data) or (len(data) >= 16 and not (data.islower() or data.isupper()))


def is_name(data: bytes) -> bool:
    return NAMES.fullmatch(data) is not None


def _entropy(data: bytes) -> float:
    """Bits a character."""
    return -sum(count / len(data) * log2(count / len(data)) for count in Counter(data).values())
