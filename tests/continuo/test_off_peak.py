"""The hours in which what can wait is begun."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.off_peak import OffPeak, off_peak

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
HOURS = st.builds(OffPeak, begins=CLOCKS, ends=CLOCKS, zone=ZONES).filter(lambda hours: hours.begins != hours.ends)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(hours=HOURS, now=TIMES)
def test_the_next_hours_end_after_now_and_begin_within_two_days(hours: OffPeak, now: datetime) -> None:
    opens, closes = hours.window(now)
    assert opens < closes
    assert now < closes
    assert opens - now < timedelta(hours=50)
    assert closes - opens <= timedelta(hours=25)


@given(hours=HOURS, now=TIMES)
def test_no_time_within_the_hours_has_other_ones(hours: OffPeak, now: datetime) -> None:
    window = hours.window(now)
    assert hours.window(max(now, window[0])) == window
    assert hours.window(window[1] - timedelta(seconds=1)) == window
    assert hours.window(window[1]) != window


@given(hours=HOURS, now=TIMES)
def test_items_begin_when_the_clocks_of_the_zone_say_so(hours: OffPeak, now: datetime) -> None:
    zone, (opens, closes) = ZoneInfo(hours.zone), hours.window(now)
    inside = opens <= now < closes
    local = now.astimezone(zone)
    if (local - timedelta(hours=30)).utcoffset() == (local + timedelta(hours=30)).utcoffset():
        begins, ends, clock = hours.begins, hours.ends, local.time()
        over_midnight = ends < begins
        assert inside == (clock >= begins or clock < ends if over_midnight else begins <= clock < ends)


def test_a_night_in_which_the_clocks_change_has_its_hours() -> None:
    hours = off_peak("22:00-06:00", "Europe/Berlin")
    spring = hours.window(datetime(2027, 3, 28, 0, 30, tzinfo=UTC))
    assert spring == (datetime(2027, 3, 27, 21, tzinfo=UTC), datetime(2027, 3, 28, 4, tzinfo=UTC))
    autumn = hours.window(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert autumn == (datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 25, 5, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "22-6", "22:00", "25:00-06:00", "22:00-06:60", "22:00-22:00"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 22:00-06:00"):
        off_peak(text, "UTC")


def test_a_zone_is_one_that_is_known() -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        off_peak("22:00-06:00", "Mars/Olympus")
