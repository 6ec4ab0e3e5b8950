"""What the holder of a key is told of its limits."""

from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Limits
from continuo.protection.quota import MINUTE, headers, retry_after
from continuo.protection.rate_limits import SLOTS, Seen, Slot, wait

LIMITS = Limits(requests_per_minute=10, tokens_per_minute=1000, throttle_at=1)
SLOT = st.builds(Slot, st.integers(100, 160), st.integers(0, 12), st.integers(0, 500))
WINDOW = st.lists(SLOT, max_size=6, unique_by=lambda slot: slot.slot).map(sorted)


def test_the_headers_say_what_is_left_and_when_all_is_left_again() -> None:
    assert headers(LIMITS, [Slot(100, 1, 250), Slot(130, 2, 0)], 140.75) == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "7",
        "x-ratelimit-reset-requests": "50.25s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "750",
        "x-ratelimit-reset-tokens": "20.25s",
    }


def test_what_is_not_limited_has_no_header() -> None:
    assert headers(Limits(concurrency=3), [], 0) == {}
    assert {*headers(Limits(tokens_per_minute=5), [], 0)} == {
        f"x-ratelimit-{what}-tokens" for what in ("limit", "remaining", "reset")
    }


def test_nobody_is_told_to_come_back_too_early() -> None:
    assert retry_after(0.5001) == {"retry-after": "1", "retry-after-ms": "501"}


@given(WINDOW, st.floats(160, 161))
def test_what_remains_may_go_now_and_after_the_reset_everything_may(used: list[Slot], now: float) -> None:
    told = headers(LIMITS, used, now)
    seen = Seen(windows={MINUTE: tuple(used)})
    requests, tokens = (int(told[f"x-ratelimit-remaining-{unit}"]) for unit in ("requests", "tokens"))
    assert 0 <= requests <= 10
    assert 0 <= tokens <= 1000
    assert (wait("key/a", LIMITS, seen, tokens, now) is None) == (
        requests > 0 and sum(one.tokens for one in used) <= 1000
    )
    for unit in ("requests", "tokens"):
        later = now + float(told[f"x-ratelimit-reset-{unit}"].removesuffix("s"))
        kept = [one for one in used if one.slot + SLOTS > later]
        assert sum(getattr(one, unit) for one in kept) == 0
