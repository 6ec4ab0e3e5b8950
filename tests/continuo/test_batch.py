"""When items of a batch may begin, and how they are read."""

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.batch import may_begin
from continuo.decisions.off_peak import OffPeak, off_peak
from continuo.errors import InputError
from continuo.starters.batch_items import digest, read_items

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))


@given(CLOCKS, CLOCKS, st.sampled_from(ZONES), TIMES)
def test_the_hours_are_the_ones_that_are_now_or_the_next(begins: time, ends: time, zone: str, now: datetime) -> None:
    if begins == ends:
        return
    opens, closes = OffPeak(begins=begins, ends=ends, zone=zone).window(now)
    assert opens < closes
    assert now < closes
    assert opens - now < timedelta(days=2)
    # Where the clocks are changed on the way, it is up to an hour shorter or longer.
    assert closes - opens <= timedelta(days=1, hours=1)
    local = opens.astimezone(ZoneInfo(zone))
    assert abs((local.hour * 60 + local.minute) - (begins.hour * 60 + begins.minute)) in (0, 30, 60)


def test_the_night_goes_over_midnight_on_the_clocks_of_its_zone() -> None:
    night = off_peak("22:00-06:00", "Europe/Berlin")
    at_night = datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
    assert night.window(at_night) == (datetime(2026, 11, 26, 21, tzinfo=UTC), datetime(2026, 11, 27, 5, tzinfo=UTC))
    by_day = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    assert night.window(by_day)[0] == datetime(2026, 11, 26, 21, tzinfo=UTC)


@pytest.mark.parametrize("text", ["22:00", "22:00-22:00", "24:00-06:00", "2200-0600", "", "22:00-6:00"])
def test_what_is_no_window_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no window of a day"):
        off_peak(text, "UTC")


@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=60).map(lambda costs: sorted(costs, reverse=True)),
    st.floats(0.1, 10.0),
    st.integers(1, 20),
    st.randoms(use_true_random=False),
)
def test_a_budget_is_passed_by_one_item_at_most_where_none_is_dearer_than_those_before(
    costs: list[float], budget: float, window: int, random: object
) -> None:
    waiting, flying, spent, ended = list(costs), list[float](), 0.0, 0
    while True:
        while waiting and may_begin(window=window, in_flight=len(flying), budget=budget, spent=spent, ended=ended):
            flying.append(waiting.pop(0))
            assert len(flying) <= window
        if not flying:
            break
        spent += flying.pop(0)
        ended += 1
    assert spent <= budget + max(costs)
    assert not waiting or spent >= budget or spent + spent / ended > budget


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_line_is_a_text_or_an_object_and_empty_ones_do_not_count(tmp_path: Path) -> None:
    lines = ['"Hello"', "", json.dumps({"prompt": "Hi", "system": "Be brief.", "id": "a", "data": {"n": 1}})]
    path = written(tmp_path, "items.jsonl", "\n".join(lines))
    (one, first), (three, second) = read_items(path, "support", "Be kind.")
    assert (one, first.prompt, first.system) == (1, "Hello", "Be kind.")
    assert (three, second.system, second.id, second.data) == (3, "Be brief.", "a", {"n": 1})


def test_a_csv_has_its_columns_as_data_beside_prompt_system_and_id(tmp_path: Path) -> None:
    path = written(tmp_path, "items.csv", '\ufeffid,prompt,order\n1,"two\nlines",7\n2,,8\n')
    (_, first), (line, second) = read_items(path, "support", None)
    assert (first.id, first.prompt, first.data) == ("1", "two\nlines", {"order": "7"})
    assert (line, second.prompt, second.data) == (4, None, {"order": "8"})


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.jsonl", '"x"\nnonsense', r"a.jsonl:2: not JSON"),
        ("a.jsonl", '"x"\n{"promt": "y"}', r"a.jsonl:2: 'promt' is no field of an item"),
        ("a.jsonl", '"x"\n7', r"a.jsonl:2: an item is a text or an object"),
        ("a.jsonl", '"x"\n{"prompt": NaN}', r"a.jsonl:2: not JSON: NaN"),
        ("a.jsonl", b'"x"\n"\xff"', r"not UTF-8 text"),
        ("a.jsonl", '"x"\n' + "[" * 100_000, r"a.jsonl:2: nested too deep"),
        ("a.csv", "prompt,prompt\na,b\n", r"a.csv:1: a column has no name or that of another"),
        ("a.csv", "prompt,n\na\n", r"a.csv:2: the row has not 2 values"),
        ("a.csv", 'prompt\n"a', r"a.csv:\d: not CSV"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, name: str, content: str | bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        list(read_items(written(tmp_path, name, content), "support", None))


@pytest.mark.parametrize(("name", "why"), [("a.parquet", "Parquet is not read"), ("a.txt", "neither JSONL nor CSV")])
def test_other_files_are_refused(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        digest(tmp_path / name)
