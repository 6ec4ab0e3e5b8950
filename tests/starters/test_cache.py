"""`continuo cache` on the store of a data folder, with a stack or without one."""

import json
import time
from pathlib import Path

import pytest

from continuo.config.settings import Settings
from continuo.jobs import Outcome
from continuo.stores.cache import Place
from continuo.stores.opened import open_cache
from continuo.testing.processes import running
from tests.support.commands import continuo
from tests.support.redis_server import RedisServer

LONG = " ".join(["a long answer", *map(str, range(100))])


@pytest.fixture
async def data(tmp_path: Path) -> str:
    """A data folder with two answers of acme's and one of globex's."""
    await fill(tmp_path, {})
    return str(tmp_path)


async def fill(data: Path, environ: dict[str, str]) -> None:
    cache = open_cache(Settings(data=data), environ)
    for key, tenant in {"aa1": "acme", "aa2": "acme", "b": "globex"}.items():
        place = Place(key=key, scope="s", family="f", tenant=tenant, pattern="support", holder="h")
        answer = Outcome(text=LONG if key == "aa2" else f"answer {key}", served_by="model")
        await cache.keep(place, answer, ttl=3600, max_size=10, now=time.time())
    await cache.aclose()


async def test_the_answers_are_listed_for_people_and_for_programs(data: str) -> None:
    table = await continuo("cache", "list", CONTINUO_DATA=data)
    assert table.code == 0
    assert all(word in table.out for word in ("aa1", "aa2", "globex", "support", "answer b", LONG))
    listed = await continuo("cache", "list", "--tenant", "globex", "--json", CONTINUO_DATA=data)
    [entry] = json.loads(listed.out)
    assert (entry["key"], entry["outcome"]["text"]) == ("b", "answer b")


async def test_one_answer_is_dropped_by_the_beginning_of_its_key(data: str) -> None:
    assert (await continuo("cache", "invalidate", "aa1", CONTINUO_DATA=data)).out == "dropped aa1\n"
    again = await continuo("cache", "invalidate", "aa1", CONTINUO_DATA=data)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "no answer has a key that begins with" in again.err


async def test_a_beginning_that_several_keys_share_drops_none(data: str) -> None:
    found = await continuo("cache", "invalidate", "aa", CONTINUO_DATA=data)
    assert (found.code, "2 answers have keys that begin with 'aa'" in found.err) == (2, True)
    assert len(json.loads((await continuo("cache", "list", "--json", CONTINUO_DATA=data)).out)) == 3


async def test_all_answers_of_a_tenant_are_dropped(data: str) -> None:
    assert (await continuo("cache", "clear", "--tenant", "acme", CONTINUO_DATA=data)).out == "answers dropped: 2\n"
    assert (await continuo("cache", "clear", CONTINUO_DATA=data)).out == "answers dropped: 1\n"


async def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    found = await continuo("cache", "list", "--json", CONTINUO_DATA=str(tmp_path / "new"))
    assert (found.code, json.loads(found.out)) == (0, [])


@pytest.mark.parametrize("arguments", [["list"], ["invalidate", "aa1"], ["clear"]])
async def test_a_store_that_cannot_be_used_is_named_in_one_line(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "cache.db").mkdir()
    found = await continuo("cache", *arguments, CONTINUO_DATA=str(tmp_path))
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert f"cannot use the cache in {tmp_path / 'cache.db'}: " in found.err


async def test_with_redis_the_answers_are_there_and_without_it_one_line_says_what_to_do(tmp_path: Path) -> None:
    async with running(server := RedisServer(tmp_path)):
        environ = {"CONTINUO_DATA": str(tmp_path), "REDIS_URL": server.url}
        await fill(tmp_path, environ)
        listed = await continuo("cache", "list", "--tenant", "globex", "--json", **environ)
        [entry] = json.loads(listed.out)
        assert (entry["key"], entry["outcome"]["text"]) == ("b", "answer b")
    gone = await continuo("cache", "list", **environ)
    assert (gone.code, gone.out, gone.err.count("\n")) == (2, "", 1)
    assert f"cannot use the cache in {server.url}: " in gone.err
    assert "start Redis there, or correct or unset REDIS_URL" in gone.err
