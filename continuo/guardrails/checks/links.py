"""Addresses in an answer, and whose they are."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from continuo.guardrails.findings import Finding

LINK = "LINK"

# Browsers take any number of slashes, and backslashes for them. Each part has an end, so that this is linear.
_BEGINNING = r"""\bhttps?:[\\/]*+|\b[a-z][a-z0-9+.-]{0,20}://|\bwww\.|(?:(?<=[("'=<])|(?<=\]:[ ]))[\\/]{2}"""
_SIGN = r"""[^\s<>"'`()\[\]{}|\uff0c\u3002\u3001]"""
_NAMES = "com|net|org|info|biz|io|ai|dev|app|xyz|top|site|online|shop|store|club|live|link|click|cloud|icu|example"
_BARE = (
    # Without a scheme: a name with a path behind it, and one that ends as no file and no method does.
    rf"(?<![\w@.\-/\\])(?:[\w-]{{1,63}}\.){{1,10}}"
    rf"(?:[^\W\d_]{{2,24}}(?=(?::\d{{1,5}})?[\\/]\w)|(?:{_NAMES})(?![\w@-]|\.\w))"
)
_ADDRESS = re.compile(
    rf"(?:{_BEGINNING})(?:{_SIGN}|\[[^\s\]]{{0,80}}\]?){_SIGN}*|(?P<bare>{_BARE}){_SIGN}*", re.IGNORECASE
)
_BEFORE_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?[\\/]*", re.IGNORECASE)
_AFTER_HOST = re.compile(r"[\\/?#]")
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+")
_GOES_ON = re.compile(r"""[^\s/?#\\<>"]*@|\u3002[^\s/?#\\<>"\uff0c\u3002\u3001]*\.""")
"""What reads like an address's end and is part of its host, or what makes the host before it a user's name."""

_READ = 300
"""Characters of that: no host has more."""


class ForeignLinks:
    """Links to hosts other than these; `*.example.org` is each below example.org, and not that itself."""

    def __init__(self, hosts: Iterable[str]) -> None:
        hosts = {*hosts}
        self._hosts = {host for host in hosts if not host.startswith("*.")}
        self._above = tuple(host[1:] for host in hosts if host.startswith("*."))

    def __call__(self, text: str) -> Iterator[Finding]:
        for match in _ADDRESS.finditer(text):
            address = f"//{match[0]}" if match["bare"] else match[0]
            host = host_of(address, text[match.end() : match.end() + _READ])
            # An empty one is the mere beginning of an address.
            if host is None or not (host == "" or host in self._hosts or host.endswith(self._above)):
                yield Finding(LINK, match.start(), match.end())


def host_of(address: str, behind: str = "") -> str | None:
    """The host of an address as a browser would read it; None where that is no plain name, such as an IPv6 address, or
    may go on in what stands `behind` it."""
    start = match.end() if (match := _BEFORE_HOST.match(address)) else 0
    authority, *path = _AFTER_HOST.split(address[start:], maxsplit=1)
    if not path and _GOES_ON.match(behind):
        return None
    name = unicodedata.normalize("NFKC", unquote(authority.rpartition("@")[2])).casefold()
    # What ends a sentence is no part of it, and a port is not looked at.
    host = re.sub(r":\d*$", "", name.rstrip(".,;:!?*_~…"))
    return host if not host or _HOST.fullmatch(host) else None
