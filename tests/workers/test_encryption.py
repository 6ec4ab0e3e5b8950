"""With a key, no store, history or log holds anything of what was asked or answered."""

import asyncio
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import openai
import pytest

from continuo.door.runs import result
from continuo.errors import InputError
from continuo.jobs import Failure, Outcome
from continuo.patterns import Agent, AgentTool, Cached, Call, FanOut, Pipeline, PipelineStep, Retry, Review, Template
from continuo.protection.encryption import BYTES, VARIABLE
from continuo.temporal.connect import connect
from continuo.testing.processes import begin, job, outcome, until, until_cancelled
from tests.support.gateway import served_gateway
from tests.support.world import World, made

ASKED, ANSWERED = f"asked-{uuid4().hex}", f"answered-{uuid4().hex}"
LONG = " and so on" * 2_000
ONCE = Retry(attempts=1)


def key(id: str) -> str:
    return f"{id}:{b64encode(os.urandom(BYTES)).decode()}"


@pytest.fixture
async def encrypted(
    environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[World]:
    monkeypatch.setenv(VARIABLE, key("first"))
    async with made(tmp_path) as world:
        yield world


def leaks(folder: Path) -> dict[str, list[str]]:
    """In which files what was asked or answered stands, as it is or in base64."""
    words = [word for text in (ASKED, ANSWERED) for word in (text.encode(), b64encode(text.encode())[:-4])]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"temporal.db", "continuo.db", "cache.db", "payloads.db", "streams.db"} <= {path.name for path in files}
    known = {path.name: [word.decode() for word in words if word in path.read_bytes()] for path in files}
    return {name: words for name, words in known.items() if words}


async def test_nothing_of_a_prompt_or_an_answer_is_on_the_disk(encrypted: World) -> None:
    world = encrypted
    pool = await world.pool()
    model = Call(model="mid", retry=ONCE)
    await world.simulator.behave("sim-mid", text=f"{ANSWERED}{LONG}")
    await world.simulator.behave("sim-mini", status=400, error_message=f"{ANSWERED} is not known")
    tool = AgentTool(step=Template(text=f"{ANSWERED} of a tool"), description="Looks something up.")
    steps = [
        model,
        Cached(model),
        FanOut(branches={"one": model, "other": Pipeline(steps=(PipelineStep(name="step", step=model),))}),
        Agent(model=model, tools={"look_up": tool}),
    ]
    for step in steps:
        assert ANSWERED in (await outcome(world.client, job(step, f"{ASKED}?", field=ASKED))).text
    failed = await result(await begin(world.client, job(Call(model="mini", retry=ONCE), f"{ASKED}?")))
    assert isinstance(failed, Failure)
    assert ANSWERED in failed.message

    review = await begin(world.client, job(Review(question=f"Is {ASKED} right?"), ASKED))
    await world.simulator.behave("sim-premium", latency=30)
    cancelled = await begin(world.client, job(Call(model="premium"), f"{ASKED}?"))
    await until(lambda: world.simulator.calls("sim-premium"))
    await until_cancelled(cancelled)

    async with served_gateway(world.folder / "gateway.log") as gateway, gateway.openai() as sdk:
        stream = await sdk.chat.completions.create(
            model="mid", messages=[{"role": "user", "content": f"{ASKED}?"}], stream=True
        )
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
        assert "".join(pieces) == f"{ANSWERED}{LONG}"
        kept = await sdk.responses.create(model="mid", input=f"{ASKED}?")
        again = await sdk.responses.create(model="mid", input=f"{ASKED} again?", previous_response_id=kept.id)
        assert again.output_text == f"{ANSWERED}{LONG}"
        with pytest.raises(openai.BadRequestError, match=ANSWERED):
            await sdk.chat.completions.create(model="mini", messages=[{"role": "user", "content": ASKED}])

    assert (await review.describe()).status is not None
    await pool.stop()
    assert leaks(world.folder) == {}


@pytest.mark.chaos
async def test_keys_are_changed_while_runs_are_under_way(encrypted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world, first = encrypted, os.environ[VARIABLE]
    await world.simulator.behave("sim-mid", latency=1, text=ANSWERED)
    pool = await world.pool()
    step = Pipeline(steps=tuple(PipelineStep(name=f"step {n}", step=Call(model="mid")) for n in range(2)))
    runs = [await begin(world.client, job(step, f"{ASKED} {number}?")) for number in range(8)]
    await until(lambda: world.simulator.calls())

    # First every process learns the new key, then it encrypts with it.
    second = key("second")
    for keys in (f"{first},{second}", f"{second},{first}"):
        monkeypatch.setenv(VARIABLE, keys)
        newer = await world.pool()
        await pool.stop()
        pool = newer
    client = await connect()
    more = [await begin(client, job(step, f"{ASKED} {number}?")) for number in range(8, 16)]
    results = await asyncio.gather(*(result(client.get_workflow_handle(run.id, result_type=Outcome)) for run in runs))
    results += await asyncio.gather(*map(result, more))
    assert [one.text for one in results if isinstance(one, Outcome)] == [ANSWERED] * 16
    assert leaks(world.folder) == {}

    monkeypatch.setenv(VARIABLE, second)
    with pytest.raises(InputError, match="has no key 'first'"):
        await result((await connect()).get_workflow_handle(runs[0].id, result_type=Outcome))
