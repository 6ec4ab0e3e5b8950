"""E-mail addresses, with names and domains of any script."""

from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import of_bytes

ADDRESSES = (
    of_bytes(
        r"[A-Za-z0-9\xff.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9\xff](?:[A-Za-z0-9\xff-]*[A-Za-z0-9\xff])?\.)+"
        r"(?:[A-Za-z\xff]{2,24}|xn--[A-Za-z0-9-]{2,59})"
    ),
    # Of a script without spaces, whose letters may as well be of the sentence around one in another.
    of_bytes(r"[A-Za-z0-9\xfe._-]+@(?:[A-Za-z0-9\xfe-]+\.)+\xfe{1,24}"),
)
MAX_LOCAL, MAX = 64, 254
FILES = frozenset((b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"css", b"js", b"ts", b"py", b"md", b"json"))
"""Ends of files such as icon@2x.png, of which none is a domain's but `md`, `py` and `ts`."""
SEPARATORS = b"!#$%&'*+/=?^`{|}~.-"
"""What may stand inside a name, and is punctuation at its start."""


def email(view: Folded) -> Iterator[Finding]:
    data = view.data
    if b"@" not in data:
        return
    for start, end in (match.span() for of in ADDRESSES for match in of.finditer(data)):
        at = data.index(b"@", start, end)
        while start < at and data[start] in SEPARATORS:
            start += 1
        # After the last of such signs: `to=ada@example.org` and `{ada@example.org` name ada.
        for sign in b"=/{|":
            start = max(start, data.rfind(sign, start, at) + 1)
        domain = data[at + 1 : end]
        if not 0 < at - start <= MAX_LOCAL or end - start > MAX or data[at - 1] in b".":
            continue
        if b".." in data[start:at] or _file(domain) or _remote(data, end):
            continue
        yield Finding("EMAIL", start, end)


def _file(domain: bytes) -> bool:
    """Whether it is the end of a file's name, such as `2x.png`, or of a package's, such as `1.2.js`."""
    return domain.rpartition(b".")[2].lower() in FILES and domain[:1].isdigit()


def _remote(data: bytes, end: int) -> bool:
    """Whether a path follows, as in git@example.org:team/code."""
    after = data[end : end + 2]
    return len(after) == 2 and after[:1] == b":" and after[1:].isalpha() and b"/" in data[end : end + 40]
