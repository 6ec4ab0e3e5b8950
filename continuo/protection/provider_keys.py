"""Several keys of a provider: which one a call is sent with, and which is left out for a while. Pure, time given."""

from collections import Counter
from collections.abc import Sequence

from continuo.errors import ProviderError

ASIDE = 300.0
"""Seconds for which a key that was refused is set aside."""


def keys_in(text: str) -> list[str]:
    """The keys that a value lists, with commas or line breaks between them, each once."""
    listed = (key.strip() for line in text.splitlines() for key in line.split(","))
    return [*dict.fromkeys(filter(None, listed))]


class KeysInTurn:
    """What this process has seen of each provider's keys; another one may see it otherwise."""

    def __init__(self) -> None:
        self._calls = Counter[str]()
        self._aside: dict[tuple[str, str, str | None], float] = {}

    def order(self, provider: str, model: str, keys: Sequence[str], now: float) -> list[str]:
        """The keys to try, one after the other: those that are not set aside, a different one first each time. Where
        all are, the one that has been the longest.

        `now` is in seconds, here and below.
        """
        free = [key for key in keys if self._until(provider, model, key) <= now]
        if not free:
            return [min(keys, key=lambda key: self._until(provider, model, key))]
        first = self._calls[provider] % len(free)
        self._calls[provider] += 1
        return [*free[first:], *free[:first]]

    def refused(self, provider: str, model: str, key: str, error: ProviderError, now: float) -> bool:
        """Whether the error is about the key, so that another one may do better.

        One that is not known, or whose account is used up, is set aside; one that may not ask this model only for that,
        and one whose rate is used up for as long as the provider asks to wait.
        """
        if error.status not in (401, 403, 429):
            return False
        limited = error.status == 429 and error.retryable
        seconds = min(error.retry_after or 0.0, ASIDE) if limited else ASIDE
        of = model if limited or error.status == 403 else None
        self._aside = {one: until for one, until in self._aside.items() if until > now}
        self._aside[provider, key, of] = now + seconds
        return True

    def _until(self, provider: str, model: str, key: str) -> float:
        return max(self._aside.get((provider, key, of), 0.0) for of in (model, None))
