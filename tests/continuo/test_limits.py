"""The decision alone: calls that come at random, one worker, every window checked by hand."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Limits
from continuo.protection.rate_limits import SLOTS, Seen, Slot, Wait, any_limit, wait, widths

ASK = st.tuples(st.floats(0, 20), st.integers(1, 400))


def found(limits: Limits, seen: Seen, *, tokens: int = 1, now: float = 0) -> Wait | None:
    return wait("model/m", limits, seen, tokens, now)


def minute(*slots: tuple[int, int, int]) -> Seen:
    return Seen(windows={1: tuple(Slot(*slot) for slot in slots)})


def test_without_limits_nothing_waits() -> None:
    assert not any_limit(Limits())
    assert found(Limits(), Seen(running=10**6)) is None


@pytest.mark.parametrize(("used", "waits"), [(799, False), (800, True), (999, True)])
def test_a_rate_is_throttled_at_80_percent(used: int, waits: bool) -> None:
    limits = Limits(requests_per_minute=1000)
    assert (found(limits, minute((0, used, 0))) is not None) == waits


@pytest.mark.parametrize(("running", "waits"), [(4, False), (5, True)])
def test_the_places_at_once_are_used_up_whole(running: int, waits: bool) -> None:
    assert (found(Limits(concurrency=5), Seen(running=running)) is not None) == waits


def test_the_wait_lasts_until_enough_has_left_the_window() -> None:
    limits = Limits(tokens_per_minute=100)
    told = found(limits, minute((10, 1, 40), (20, 1, 40)), tokens=30, now=25.5)
    assert told is not None
    assert told.seconds == pytest.approx(10 + SLOTS - 25.5)
    assert told.why == "model/m has used 80 of 100 tokens in 60 s"
    told = found(limits, minute((10, 1, 40), (20, 1, 40)), tokens=60, now=25.5)
    assert told is not None
    assert told.seconds == pytest.approx(20 + SLOTS - 25.5)


def test_the_longest_wait_of_several_limits_holds() -> None:
    limits = Limits(requests_per_minute=1, requests_per_hour=1)
    seen = Seen(windows={1: (Slot(3600, 1, 0),), 60: (Slot(60, 1, 0),)})
    told = found(limits, seen, now=3600)
    assert told is not None
    assert told.seconds == 3660
    assert "in 3,600 s" in told.why


def test_nobody_overtakes_those_who_wait() -> None:
    assert found(Limits(concurrency=5), Seen(running=3, ahead=1)) is None
    assert found(Limits(concurrency=5), Seen(running=3, ahead=2)) is not None
    assert found(Limits(tokens_per_minute=100), Seen(ahead=1, ahead_tokens=80)) is not None


def test_a_call_larger_than_its_limit_goes_when_nothing_else_is_counted() -> None:
    limits = Limits(tokens_per_minute=100)
    assert found(limits, Seen(), tokens=10**6) is None
    assert found(limits, minute((0, 1, 1)), tokens=10**6) is not None


@given(st.lists(ASK, max_size=40), st.integers(1, 20), st.integers(1, 2000))
def test_no_minute_ever_holds_more_than_is_allowed(asked: list[tuple[float, int]], most: int, most_tokens: int) -> None:
    """Each call asks, waits as long as it is told to, and then goes: nobody else asks meanwhile."""
    limits = Limits(requests_per_minute=most, tokens_per_minute=most_tokens, throttle_at=1)
    assert widths(limits) == (1,)
    slots: deque[Slot] = deque()
    gone: deque[tuple[float, int]] = deque()
    now = 0.0
    for pause, tokens in asked:
        now += pause
        waited = 0
        while (told := found(limits, Seen(windows={1: tuple(slots)}), tokens=tokens, now=now)) is not None:
            now += told.seconds
            waited += 1
            assert waited <= SLOTS
            while slots and slots[0].slot <= int(now) - SLOTS:
                slots.popleft()
        slots.append(Slot(int(now), 1, tokens))
        gone.append((now, tokens))
        while gone[0][0] <= now - 60:
            gone.popleft()
        assert len(gone) <= most
        assert len(gone) == 1 or sum(spent for _, spent in gone) <= most_tokens
