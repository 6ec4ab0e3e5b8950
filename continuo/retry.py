"""When a failed call is tried again."""

from continuo.patterns import Retry

JITTER = 0.2


def delay(retry: Retry, failures: int, retry_after: float | None, random: float) -> float:
    """Seconds until the next attempt after `failures` of them (1 or more).

    `retry_after` is what the provider demands, in seconds, and decides alone. `random` is in 0..1 and
    spreads the backoff by ±20 %, so that callers that failed together do not return together.
    """
    if retry_after is not None:
        return retry_after
    # The exponent is bounded so that a long series cannot overflow a float; any maximum is reached before.
    backoff = min(retry.maximum, retry.initial * retry.factor ** min(failures - 1, 64))
    return backoff * (1 + JITTER * (2 * random - 1))
