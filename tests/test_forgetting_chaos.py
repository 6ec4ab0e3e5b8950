"""Who is forgotten is in no store, no history and no file, and whoever is not has lost nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import openai
import psycopg
import pytest
from psycopg.rows import tuple_row
from redis.asyncio import Redis

from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.door import Door, Request
from continuo.door.request import Line
from continuo.door.schedules import Schedules
from continuo.jobs import Context
from continuo.operations.batches import Terms
from continuo.operations.schedules import Times
from continuo.parameters import Parameters
from continuo.patterns import Agent, AgentTool, Cached, Call, FanOut, Retry, Step, Template
from continuo.starters.commands.forget import forget
from continuo.stores.audit import chains, links, verified
from continuo.stores.batches import BatchStore
from continuo.stores.opened import open_store
from continuo.stores.sqlite.scrub import is_scrubbed
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import until
from tests.activities.test_pruning import ACKS
from tests.gateway.test_batches import begun, ended, line
from tests.support.gateway import served_gateway
from tests.support.redis_server import redis
from tests.support.stores import emptied, postgres
from tests.support.world import World, made

pytestmark = pytest.mark.chaos

ANN, BOB = "ann-7f3e9a1c", "bob-5d2b8e4f"
LONG = " and so on" * 2_000
ONCE = Retry(attempts=1)


@pytest.fixture(params=["files"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async with AsyncExitStack() as resources:
        if request.param == "servers":
            server = await resources.enter_async_context(postgres(tmp_path.with_name("postgres")))
            monkeypatch.setenv("DATABASE_URL", await emptied(server))
            monkeypatch.setenv("REDIS_URL", await resources.enter_async_context(redis(tmp_path.with_name("redis"))))
        yield await resources.enter_async_context(made(tmp_path, *ACKS))


def steps(user: str) -> list[Step]:
    tool = AgentTool(step=Template(text=f"{user} of a tool"), description="Looks something up.")
    return [
        Cached(Call(model="mid", retry=ONCE)),
        FanOut(branches={"a": Call(model="mid", retry=ONCE), "b": Template(text=f"{user}{LONG}")}),
        Call(model="mini", retry=ONCE),
        Agent(model=Call(model="mid", retry=ONCE), tools={"look_up": tool}),
    ]


async def lived(world: World, sdk: openai.AsyncOpenAI, user: str) -> list[str]:
    """What is done for a user, all of which names them; the ids of what is kept for them."""
    door, text = Door(world.client, Library()), f"{user} asks as {user}@example.org"
    await world.simulator.behave("sim-mid", text=f"{user} is answered{LONG}")
    await world.simulator.behave("sim-mini", status=400, error_message=f"{user} is not known")
    for number, step in enumerate(steps(user)):
        # A server's timers know ids until its retention is over: who is meant to be forgotten is in none.
        talk = f"talk-{user[-8:]}" if isinstance(step, Agent) else None
        context = Context(tenant="acme", user=user, conversation=talk)
        request = Request(pattern=step, name=f"p{number}", prompt=text, data={"who": user})
        await (await door.submit(request, context)).result()
    pieces = await sdk.chat.completions.create(
        model="mid", messages=[{"role": "user", "content": text}], user=user, stream=True
    )
    assert "".join([one.choices[0].delta.content or "" async for one in pieces if one.choices]).startswith(user)
    conversation = await sdk.conversations.create()
    first = await sdk.responses.create(model="mid", input=text, user=user, conversation=conversation.id)
    kept = await sdk.responses.create(model="mid", input=text, user=user)
    said = {"id": kept.id, "thumb": "up", "rater": user, "comment": text}
    await sdk.post("/feedback", body=said, cast_to=object)
    with pytest.raises(openai.BadRequestError):
        await sdk.chat.completions.create(model="mini", messages=[{"role": "user", "content": text}], user=user)
    lines = [line(f"{user}-line", "mid", user=user, messages=[{"role": "user", "content": text}])]
    batch = await ended(sdk, (await begun(sdk, *lines)).id)
    assert batch.output_file_id is not None
    return [first.id, kept.id]


async def everything(folder: Path) -> dict[str, str]:
    """All that the stores hold, as text, by where it stands."""
    places = {
        str(path.relative_to(folder)): path.read_bytes().decode("latin-1")
        for path in folder.rglob("*")
        if path.is_file() and ".db" in path.name
    }
    environ = environment()
    if url := environ.get("DATABASE_URL"):
        async with await psycopg.AsyncConnection.connect(url, row_factory=tuple_row) as connection:
            tables = await connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", ("continuo_test",)
            )
            for (table,) in await tables.fetchall():
                rows = await (await connection.execute(f"SELECT * FROM {table}".encode())).fetchall()
                places[table] = " ".join(str(value) for row in rows for value in row)
        async with Redis.from_url(environ["REDIS_URL"]) as client:
            async for key in client.scan_iter("*"):
                places[key.decode()] = f"{key!r} {await client.dump(key)!r}"
    return places


@pytest.mark.timeout(600)
@pytest.mark.parametrize("world", ["files", "servers"], indirect=True)
async def test_nothing_of_a_user_is_left_and_all_of_another_one_is(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    pools = [await world.pool(), await world.pool("batch")]
    async with served_gateway(world.folder / "gateway.log") as gateway, gateway.openai(max_retries=0) as sdk:
        theirs = await lived(world, sdk, BOB)
        ours = await lived(world, sdk, ANN)
        store = open_store(Settings(), environment())

        async def entered() -> bool:
            events = [json.loads(link.entry)["event"] async for link in links(store, "acme")]
            return events.count("ended") >= 18

        await until(entered)
        rows = (await chains(store))[0].seq
        before_it = await everything(world.folder)
        assert any(ANN in text for text in before_it.values())

        assert await forget(user=ANN, tenant="globex", yes=True, json=True) == 0
        assert json.loads(capsys.readouterr().out)["tenants"] == []
        assert await forget(user=ANN, json=True) == 0
        counted = json.loads(capsys.readouterr().out)
        assert {name for name, count in counted["counts"].items() if not count} <= set()
        assert await forget(user=ANN, yes=True, json=True) == 0, capsys.readouterr()
        gone = json.loads(capsys.readouterr().out)
        assert gone["counts"] == counted["counts"]
        assert (gone["running"], gone["pending"], gone["unscrubbed"]) == ([], 0, [])

        # That of an embedded server stands in the data folder, as those do; in tests it has one of its own.
        assert is_scrubbed(world.folder / "temporal" / "temporal.db")
        assert {name for name, text in (await everything(world.folder)).items() if ANN in text} == set()
        with pytest.raises(openai.NotFoundError):
            await sdk.responses.retrieve(ours[1])
        for id in theirs:
            assert BOB in (await sdk.responses.retrieve(id)).output_text
        assert await verified(store, "acme") == (await chains(store))[0].seq == rows + 1
        spent = await store.read('SELECT "user", COUNT(*) AS count FROM ledger GROUP BY "user" ORDER BY "user"')
        assert {row["user"]: row["count"] for row in spent}[None] >= 5
        again = Request(pattern=steps(BOB)[3], name="p3", prompt=f"{BOB} asks")
        await (await Door(world.client, Library()).submit(again, Context(tenant="acme", user=BOB))).result()
        assert await forget(user=ANN, json=True) == 0
        assert not {*json.loads(capsys.readouterr().out)["counts"].values()} - {0}
        await store.aclose()
    for pool in pools:
        await pool.stop()


async def test_what_is_under_way_is_left_and_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    await world.simulator.behave("sim-mid", latency=60)
    pool = await world.pool()
    run = await Door(world.client, Library()).submit(
        Request(pattern=FanOut(branches={"a": Call(model="mid"), "b": Template(text="x")}), prompt="?"),
        Context(tenant="acme", user=ANN),
    )
    await until(lambda: world.simulator.calls("sim-mid"))
    assert await forget(user=ANN, yes=True) == 1
    assert f"1 under way; cancel them or let them end: {run.id}" in capsys.readouterr().err
    assert await run.state() == "running"
    await run.cancel()
    await run.result()
    store = open_store(Settings(), environment())
    terms = Terms(step=Call(model="mid"), context=Context(pattern="model:mid", tenant="acme"))
    schedules = Schedules(Door(world.client, Library()), BatchStore(store, (await namespace_of(world.client)).id))
    asks = Line(1, Request(pattern="model:mid", prompt="?", parameters=Parameters(user=ANN)))
    await schedules.create_batch("nightly", terms, "digest", "line", [asks], Times(every=86_400.0), replace=False)

    async def told() -> bool:
        return await forget(user=ANN, yes=True) == 1 and "1 schedules that run for the user" in capsys.readouterr().err

    await until(told)
    await schedules.delete("acme", "nightly")
    await store.aclose()

    async def all_gone() -> bool:
        return await forget(user=ANN, yes=True) == 0

    await until(all_gone)
    assert await run.state() == "unknown"
    await pool.stop()
