"""Keys, tokens, passwords, private keys and connection strings."""

from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.context import joined
from continuo.guardrails.recognisers.folded import Folded
from continuo.guardrails.recognisers.random_text import is_random, is_slug
from continuo.guardrails.recognisers.secret_assignments import PLACEHOLDER, assigned
from continuo.guardrails.recognisers.secret_forms import TOKENS
from continuo.regex import of_bytes

TOKEN = of_bytes(rf"\b(?:{'|'.join(TOKENS)})")
SCHEMES = (
    r"postgres(?:ql)?|mysqlx?|mariadb|mongodb|rediss?|valkeys?|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb"
    r"|snowflake|redshift|trino|presto|kafka|nats|ldaps?|smtps?|imaps?|mqtts?|neo4j|bolt|couchbases?|cassandra|memcached"
)
CONNECTION = of_bytes(
    rf"(?i)\b(?:jdbc:)?(?:{SCHEMES})(?:\+[a-z0-9]+)?://[^\s:@/\"'<>]*:([^\s@\"'<>]+)@[^\s\"'<>`\xfe]+"
)
BEARER = of_bytes(r"(?i)\b(?:bearer|basic|apikey)\s+([A-Za-z0-9+/._~-]{16,}=*)")
LOGIN = of_bytes(r"\s(?:-u|--user)[ =][\"']?[^\s:\"'$]{1,64}:([^\s\"'$]{3,})")
PEM = of_bytes(r"-----(BEGIN|END)[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----")
BODY = of_bytes(r"[A-Za-z0-9+/=\s\\:,.-]*")
"""What a private key that is cut off may hold."""


def secret(view: Folded) -> Iterator[Finding]:
    data = view.data
    for match in TOKEN.finditer(data):
        start, end = match.span()
        if not joined(data, start, end) and not is_slug(data[start:end]):
            yield Finding("SECRET", start, end)
    if b"://" in data:
        for match in CONNECTION.finditer(data):
            start, end = match.span()
            if PLACEHOLDER.match(data[slice(*match.span(1))]):
                continue
            yield Finding("SECRET", start, start + len(data[start:end].rstrip(b".,;:!?)]}")))
    for pattern in (BEARER, LOGIN):
        for match in pattern.finditer(data):
            start, end = match.span(1)
            if pattern is LOGIN or is_random(data[start:end]):
                yield Finding("SECRET", start, end)
    yield from _private_keys(data)
    yield from assigned(view)


def _private_keys(data: bytes) -> Iterator[Finding]:
    """From its first line to its last; one whose last is missing ends where its letters do."""
    if b"PRIVATE KEY" not in data:
        return
    opened: tuple[int, int] | None = None
    for match in PEM.finditer(data):
        start, end = match.span()
        if data[slice(*match.span(1))] == b"END":
            if opened:
                yield Finding("SECRET", opened[0], end)
            opened = None
            continue
        if opened:
            yield _cut_off(data, opened, start)
        opened = start, end
    if opened:
        yield _cut_off(data, opened, len(data))


def _cut_off(data: bytes, opened: tuple[int, int], end: int) -> Finding:
    body = BODY.match(data, opened[1], end)
    return Finding("SECRET", opened[0], body.span()[1] if body else opened[1])
