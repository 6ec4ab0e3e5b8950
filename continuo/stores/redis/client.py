"""The Redis that `REDIS_URL` names: 6.2 or later, one server or a primary with replicas."""

from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError

from continuo.errors import InputError

TIMEOUT = 1.0
"""Seconds to wait for a connection, and for an answer: what is asked of Redis takes it less than a millisecond."""


def connect(url: str) -> Redis:
    """A client that connects when it is first used. Raises `InputError` for a URL that is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "unix" and parts.path.strip("/") and not parts.path.strip("/").isdigit():
            raise ValueError("after the port comes the number of a database")
        client = Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            # Once more, since a connection may have been closed while it was idle; never after a time-out.
            retry=Retry(NoBackoff(), 1, (ConnectionError,)),
        )
        # An unknown option of the URL shows only in a connection; this one is not opened.
        client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    except (ValueError, TypeError) as error:
        raise InputError(f"REDIS_URL: {error}; write redis://:PASSWORD@HOST:6379/0, or rediss:// for TLS") from None
    return client
