"""The contract of the stream log, on every backend."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.settings import DAY, Settings
from continuo.deltas import Delta, ReasoningDelta, TextDelta, ToolDelta
from continuo.stores import streams
from continuo.stores.opened import opened_streams
from continuo.stores.streams import PORTION, PORTION_BYTES, StreamLog, Writer, behind, decoded, encoded

NOW = 1_790_000_000.0
ONE = Writer("run", "tier1", 1)


@pytest.fixture
async def logs(limits_environ: dict[str, str], tmp_path: Path) -> AsyncIterator[tuple[StreamLog, StreamLog]]:
    """Two processes' views of one log: one writes, the other reads."""
    async with AsyncExitStack() as resources:
        opening = [opened_streams(Settings(data=tmp_path), limits_environ) for _ in range(2)]
        one, other = [await resources.enter_async_context(log) for log in opening]
        yield one, other


def texts(*words: str) -> list[Delta]:
    return [TextDelta(word) for word in words]


async def whole(log: StreamLog, run: str, after: int = 0) -> list[Delta]:
    found: list[Delta] = []
    while pieces := await log.read(run, after + len(found)):
        found += pieces
    return found


async def test_pieces_are_read_in_order_behind_any_of_them(logs: tuple[StreamLog, StreamLog]) -> None:
    writer, reader = logs
    assert await writer.claim(ONE, NOW) == (0, True)
    assert await reader.read("run", 0) == []
    kept = [*texts("a", "b"), ReasoningDelta("why", "s", "anthropic"), ToolDelta(0, "c1", "weather", "{", None)]
    assert await writer.append(ONE, 0, kept[:3], NOW)
    assert await writer.append(ONE, 3, kept[3:], NOW)
    for after in range(5):
        assert await whole(reader, "run", after) == kept[after:]
    assert await reader.read("another", 0) == []


async def test_one_writer_at_a_time_and_none_twice(logs: tuple[StreamLog, StreamLog]) -> None:
    early, late = logs
    again = Writer("run", "tier1", 2)
    assert await early.claim(ONE, NOW) == (0, True)
    assert await early.append(ONE, 0, texts("a"), NOW)
    assert not await early.append(ONE, 0, texts("a"), NOW)
    assert not await early.append(ONE, 2, texts("c"), NOW)
    assert await late.claim(again, NOW) == (1, True)
    assert not await early.append(ONE, 1, texts("b"), NOW)
    # An attempt that was thought to be dead comes too late.
    assert await early.claim(ONE, NOW) == (1, True)
    assert not await early.append(ONE, 1, texts("b"), NOW)
    assert await late.append(again, 1, texts("B"), NOW)
    assert await whole(early, "run") == texts("a", "B")


async def test_another_call_takes_over_what_is_empty_alone(logs: tuple[StreamLog, StreamLog]) -> None:
    early, late = logs
    assert await early.claim(ONE, NOW) == (0, True)
    other = Writer("run", "tier2", 1)
    assert await late.claim(other, NOW) == (0, True)
    assert not await early.append(ONE, 0, texts("a"), NOW)
    assert await late.append(other, 0, texts("b"), NOW)
    for _ in range(2):
        assert await early.claim(Writer("run", "tier3", 1), NOW) == (1, False)
    assert not await early.append(Writer("run", "tier3", 1), 1, texts("c"), NOW)
    assert await late.append(other, 1, texts("c"), NOW)
    assert await whole(early, "run") == texts("b", "c")


async def test_who_waits_is_told_within_some_milliseconds(logs: tuple[StreamLog, StreamLog]) -> None:
    writer, reader = logs
    late = []
    await writer.claim(ONE, NOW)
    with reader.watched("run") as news, reader.watched("another") as others:
        for number in range(40):
            news.clear()
            others.clear()
            assert await reader.read("run", number) == []
            began = time.monotonic()
            assert await writer.append(ONE, number, texts(str(number)), NOW)
            while not await reader.read("run", number):
                await asyncio.wait_for(news.wait(), 5)
                news.clear()
            late.append(time.monotonic() - began)
    assert median(late) < 0.02


async def test_who_reads_slowly_gets_a_portion_at_a_time_and_all_of_it(logs: tuple[StreamLog, StreamLog]) -> None:
    writer, reader = logs
    await writer.claim(ONE, NOW)
    for number in range(PORTION + 5):
        assert await writer.append(ONE, number, texts(str(number)), NOW)
    assert len(await reader.read("run", 0)) == PORTION
    assert await whole(reader, "run") == texts(*map(str, range(PORTION + 5)))


async def test_a_portion_is_no_larger_for_large_pieces(logs: tuple[StreamLog, StreamLog]) -> None:
    writer, reader = logs
    await writer.claim(ONE, NOW)
    large = [f"{number}" * (PORTION_BYTES // 3) for number in range(8)]
    for number, text in enumerate(large):
        assert await writer.append(ONE, number, texts(text), NOW)
    assert await reader.read("run", 0) == texts(*large[:3])
    assert await whole(reader, "run") == texts(*large)


async def test_many_streams_at_once_are_whole_each(logs: tuple[StreamLog, StreamLog]) -> None:
    writer, reader = logs

    async def write(run: str) -> None:
        mine = Writer(run, "", 1)
        await writer.claim(mine, NOW)
        for number in range(20):
            assert await writer.append(mine, number, texts(f"{run}-{number}"), NOW)

    async def read(run: str) -> list[Delta]:
        found: list[Delta] = []
        with reader.watched(run) as news:
            while len(found) < 20:
                news.clear()
                if pieces := await reader.read(run, len(found)):
                    found += pieces
                else:
                    await asyncio.wait_for(news.wait(), 10)
        return found

    runs = [f"run{number}" for number in range(20)]
    results = await asyncio.gather(*map(read, runs), *map(write, runs))
    assert results[:20] == [texts(*(f"{run}-{number}" for number in range(20))) for run in runs]


async def test_a_full_log_takes_no_more(logs: tuple[StreamLog, StreamLog]) -> None:
    writer, reader = logs
    half = "x" * (streams.MAX_BYTES // 2)
    await writer.claim(ONE, NOW)
    assert await writer.append(ONE, 0, texts(half), NOW)
    assert not await writer.append(ONE, 1, texts(half), NOW)
    assert await writer.append(ONE, 1, texts("y"), NOW)
    assert len(await whole(reader, "run")) == 2


@pytest.mark.parametrize("limits_environ", ["sqlite", "postgres"], indirect=True)
async def test_old_streams_go(logs: tuple[StreamLog, StreamLog]) -> None:
    log, _ = logs
    for run, kept in (("old", NOW - DAY - 1), ("new", NOW - DAY)):
        writer = Writer(run, "", 1)
        await log.claim(writer, kept)
        assert await log.append(writer, 0, texts(run), kept)
    assert await log.prune(NOW, dry_run=True) == 1
    assert await log.prune(NOW, dry_run=False) == 1
    assert await log.prune(NOW, dry_run=False) == 0
    assert (await whole(log, "old"), await whole(log, "new")) == ([], texts("new"))


DELTAS = st.one_of(
    st.builds(TextDelta, st.text()),
    st.builds(ReasoningDelta, st.text(), st.none() | st.text(), st.none() | st.just("google"), st.booleans()),
    st.builds(ToolDelta, st.integers(0, 9), st.none() | st.text(), st.none() | st.text(), st.text(), st.none()),
)


@given(st.lists(st.lists(DELTAS, min_size=1), max_size=5), st.integers(0, 30))
def test_what_is_kept_is_what_was_given(batches: list[list[Delta]], after: int) -> None:
    rows, last = [], 0
    for batch in batches:
        last += len(batch)
        assert decoded(encoded(batch)) == batch
        rows.append((last, encoded(batch)))
    assert behind(rows, after) == [piece for batch in batches for piece in batch][after:]
