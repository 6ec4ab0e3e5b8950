"""When a failed call is tried again."""

from continuo.patterns import Retry

JITTER = 0.2


def too_long(retry: Retry, retry_after: float | None) -> bool:
    """Whether the provider asks for a longer wait than the policy allows: then the call gives up at once."""
    return retry_after is not None and retry_after > retry.maximum


def delay(retry: Retry, failures: int, retry_after: float | None, random: float) -> float:
    """Seconds until the next attempt after `failures` of them (1 or more).

    `retry_after` is what the provider demands, in seconds, and decides alone (see `too_long`). `random` is in 0..1 and
    spreads the backoff by ±20 %, so that callers that failed together do not return together.
    """
    if retry_after is not None:
        return retry_after
    # The exponent is bounded so that a long series cannot overflow a float; any maximum is reached before.
    backoff = min(retry.maximum, retry.initial * retry.factor ** min(failures - 1, 64))
    return backoff * (1 + JITTER * (2 * random - 1))
