"""Addresses of the web that hold a password or a token."""

import re
from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.folded import Folded
from continuo.regex import of_bytes

URL = of_bytes(r"(?i)\b(?:https?|ftps?|sftp|ssh|git|wss?|git\+https?|git\+ssh)://[^\s<>\"`\\\xfe]+")
USER = re.compile(r"[a-z+]+://[^/?#@\s:]*:([^/?#@\s]+)@", re.IGNORECASE)
TOKEN_ALONE = re.compile(r"[a-z+]+://([^/?#@\s:]{20,})(?::|:x-oauth-basic)?@", re.IGNORECASE)
QUERY = re.compile(
    r"[?&#;](?:[\w.-]*(?:token|secret|passw(?:or)?d|pwd|api[_-]?key|access[_-]?key|signature|credential)|key|sig|auth"
    r"|pass|session|sid|code|jwt)=([^&#\s]{6,})",
    re.IGNORECASE,
)
LONGEST = 4096
"""Characters of one that are read."""
BLANK = re.compile(r"[<{$%*\[]|(?:x+|\.+|your|my|example|redacted|token|password|secret)\b", re.IGNORECASE)
"""How a value begins that stands for one."""
AFTER = ".,;:!?'\")]}>"


def url(view: Folded) -> Iterator[Finding]:
    if b"://" not in view.data:
        return
    for match in URL.finditer(view.data):
        start, end = match.span()
        text = view.text[start : min(end, start + LONGEST)]
        text = text.rstrip(AFTER)
        if any(_filled(of.search(text)) for of in (USER, TOKEN_ALONE, QUERY)):
            yield Finding("URL_CREDENTIALS", start, start + len(text))


def _filled(match: re.Match[str] | None) -> bool:
    return match is not None and not BLANK.match(match[1])
