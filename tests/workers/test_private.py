"""Personal data and secrets of requests are in no store, history, log or request to a provider; callers see them."""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest

from continuo.authoring.library import Library
from continuo.client import Continuo, RunFailed
from continuo.decisions.review import Brief
from continuo.door.private import Withholding
from continuo.door.reviews import case_of, open_reviews
from continuo.jobs import Context
from continuo.patterns import Agent, AgentTool, Call, Http, Retry, Review
from continuo.testing.processes import kill, until
from continuo.workers.local.processes import Child
from tests.gateway.test_batches import SCHEDULE, begun, ended, fired, line, lines_of, planned, written
from tests.support.commands import continuo as command
from tests.support.gateway import GatewayProcess, served_gateway
from tests.support.world import World, made
from tests.workflows.test_agent import call, turn

CANARIES = EMAIL, OTHER, IBAN, CARD, SECRET = (
    f"mara.{uuid4().hex[:12]}@example.org",
    f"nils.{uuid4().hex[:12]}@example.org",
    "DE89370400440532013000",
    "4111111111111111",
    f"sk-proj-{uuid4().hex}{uuid4().hex}",
)
ASKED = f"I am {EMAIL}, my account is {IBAN}, my card {CARD}; the key was {SECRET}."
SAID = "Dear <EMAIL_1>, <IBAN_1> and <CARD_1> are noted, and <SECRET_1> is not."
SEEN = f"Dear {EMAIL}, {IBAN} and {CARD} are noted, and {SECRET} is not."
MID, MINI = (Call(model=name, retry=Retry(attempts=1)) for name in ("mid", "mini"))


@pytest.fixture
async def world(environ: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[World]:
    async with made(tmp_path) as world:
        yield world


def leaks(folder: Path) -> dict[str, list[str]]:
    """In which files a value stands, as it is or in base64."""
    values = [value.encode() for value in CANARIES]
    forms = [form for value in values for form in (value, b64encode(value)[:-4])]
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "shop.db"]
    assert {"temporal.db", "continuo.db", "vault.key"} <= {path.name for path in files}
    known = {path.name: [form.decode() for form in forms if form in path.read_bytes()] for path in files}
    return {name: forms for name, forms in known.items() if forms}


async def by_the_door(world: World) -> None:
    async with Continuo.connect() as continuo:
        outcome = await continuo.run(MID, ASKED, user=EMAIL, session=OTHER, id=f"for {EMAIL}", data={"from": OTHER})
        assert outcome.text == SEEN
        await world.simulator.behave("sim-mini", status=400, error_message="<EMAIL_1> is blocked")
        with pytest.raises(RunFailed, match=f"{EMAIL} is blocked"):
            await continuo.run(MINI, ASKED)
        told = await command("run", "model:sim-mid", ASKED)
        assert (told.code, told.out.strip()) == (0, SEEN)
        # What the shop is asked holds the value only where the step says so, and what it answers is withheld again.
        for reveals in (False, True):
            step = Http(service="inventory", method="PUT", path="/reservations/{email}", reveals=reveals)
            outcome = await continuo.run(
                step, data={"email": OTHER, "items": [{"sku": "mug", "quantity": 1, "unit_price_cents": 5}]}
            )
            assert OTHER in outcome.text


async def by_the_gateway(gateway: GatewayProcess) -> None:
    chat: list[Any] = [{"role": "user", "content": ASKED}]
    async with gateway.openai() as sdk, gateway.anthropic() as other, gateway.http() as http:
        completion = await sdk.chat.completions.create(
            model="mid", messages=chat, store=True, metadata={"of": EMAIL}, user=EMAIL
        )
        assert completion.choices[0].message.content == SEEN
        kept = await sdk.chat.completions.retrieve(completion.id)
        assert (kept.choices[0].message.content, kept.metadata) == (SEEN, {"of": EMAIL})
        [message] = (await sdk.chat.completions.messages.list(completion.id)).data
        assert message.content == ASKED

        stream = await sdk.chat.completions.create(model="mid", messages=chat, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
        assert "".join(pieces) == SEEN

        said = await other.messages.create(model="mid", max_tokens=100, messages=chat, metadata={"user_id": EMAIL})
        assert said.content[0].text == SEEN  # type: ignore[union-attr]

        response = await sdk.responses.create(model="mid", input=ASKED, instructions=f"Never write to {OTHER}.")
        assert (response.output_text, response.instructions) == (SEEN, f"Never write to {OTHER}.")
        later = await sdk.responses.create(model="mid", input=f"And {OTHER}?", previous_response_id=response.id)
        assert later.output_text == SEEN
        [*_, item] = (await sdk.responses.input_items.list(response.id)).data
        assert ASKED in item.to_json()

        with pytest.raises(openai.BadRequestError, match=EMAIL):
            await sdk.chat.completions.create(model="mini", messages=chat)
        await jobs(http)


async def jobs(http: httpx.AsyncClient) -> None:
    body = {"model": "mid", "input": ASKED, "metadata": {"of": EMAIL}, "session": OTHER}
    made = await http.post("/v1/jobs", json=body)
    assert made.status_code == 202, made.text
    path = f"/v1/jobs/{made.json()['id']}"

    async def ended() -> bool:
        return bool((await http.get(path)).json()["status"] == "completed")

    await until(ended)
    job = (await http.get(path)).json()
    assert job["metadata"] == {"of": EMAIL}
    assert SEEN in json.dumps(job, ensure_ascii=False)


@pytest.mark.timeout(600)
async def test_nothing_private_is_kept_or_sent_and_callers_see_it_again(world: World) -> None:
    pool = await world.pool()
    await world.simulator.behave("sim-mid", text=SAID)
    await by_the_door(world)
    operations = await world.shop.get("/operations")
    assert (OTHER in json.dumps(operations), "<EMAIL_" in json.dumps(operations)) == (True, True)
    async with served_gateway(world.folder / "gateway.log") as gateway:
        await by_the_gateway(gateway)
    sent = json.dumps(await world.simulator.calls())
    assert [value for value in CANARIES if value in sent] == []
    await pool.stop()
    assert leaks(world.folder) == {}


def placeholder(value: str, tenant: str) -> str:
    """What stands for the value in an agent's run."""
    return Withholding(Library()).private(Context(tenant=tenant), "agent", spread=True).text(value)


async def by_an_agent(world: World) -> None:
    """What it is asked and told, what its tool gets and answers, and what a person makes of that."""
    put = Http(service="inventory", method="PUT", path="/reservations/{email}", reveals=True)
    schema = {"type": "object", "properties": {"email": {"type": "string"}, "items": {"type": "array"}}}
    tool = AgentTool(step=put, description="Reserves.", parameters=schema, needs_approval=True)
    mug = {"sku": "mug", "quantity": 1, "unit_price_cents": 5}
    asks = turn(call("reserve", email=placeholder(EMAIL, "acme"), items=[mug]))
    await world.simulator.behave("sim-mid", script=[asks, turn(text=f"Done for {placeholder(OTHER, 'acme')}.")])
    async with Continuo.connect() as continuo:
        agent = Agent(model=MID, tools={"reserve": tool})
        run = await continuo.start(agent, ASKED, name="agent", tenant="acme", user=EMAIL)
        await run.say(f"And the key is {SECRET}")
        [brief] = await waiting(world)
        case = await case_of(world.client, brief.id)
        assert EMAIL not in case.text
        # The reviewer was shown a placeholder, which stays, and writes a value.
        text = case.text.replace(placeholder(EMAIL, "acme"), OTHER)
        told = await command(
            "reviews", "edit", case.id, text, "--by", "ann", "--shown", case.shown, "--note", f"{EMAIL} has {CARD}"
        )
        assert (told.code, told.err) == (0, "")
        assert (await run.result()).text == f"Done for {OTHER}."
        assert "<EMAIL_" in (await run.transcript()).model_dump_json()
    assert OTHER in json.dumps(await world.shop.get("/operations"))


async def by_a_review(world: World) -> None:
    async with Continuo.connect() as continuo:
        run = await continuo.start(Review(question="May {input} be sent?"), ASKED, tenant="acme", user=EMAIL)
        [brief] = await waiting(world)
        case = await case_of(world.client, brief.id)
        known = re.findall(r"<EMAIL_\d+>", case.text)
        told = await command(
            "reviews", "edit", case.id, f"{known[0]} and {OTHER}", "--by", "ann", "--shown", case.shown,
            "--note", f"For {OTHER}, by {IBAN}",
        )  # fmt: skip
        assert (told.code, told.err) == (0, "")
        outcome = await run.result()
        assert (outcome.text, outcome.verdict and outcome.verdict.note) == (
            f"{EMAIL} and {OTHER}", f"For {OTHER}, by {IBAN}",
        )  # fmt: skip


async def waiting(world: World) -> list[Brief]:
    briefs: list[Brief] = []

    async def some() -> bool:
        briefs[:] = await open_reviews(world.client, "acme")
        return bool(briefs)

    await until(some)
    return briefs


async def by_batches(world: World, gateway: GatewayProcess) -> None:
    items = world.folder.with_name("items.jsonl")
    items.write_text("".join(json.dumps({"prompt": f"{number}: {ASKED}"}) + "\n" for number in range(3)))
    await world.simulator.behave("sim-mid", text=SAID)
    for way in ((), ("--provider-batch",)):
        output = world.folder.with_name("output.jsonl")
        told = await command(
            "batch", "run", "model:sim-mid", str(items), *way, "--id", f"b{len(way)}", "--output", str(output)
        )
        assert told.code == 0, told.err
        assert [json.loads(one)["outcome"]["text"] for one in output.read_text().splitlines()] == [SEEN] * 3
    asks = line("a", "sim-mid", messages=[{"role": "user", "content": ASKED}], user=EMAIL)
    async with gateway.openai() as sdk, gateway.http() as http:
        batch = await begun(sdk, asks)
        file = await sdk.files.create(file=written(asks), purpose="batch")
        assert (await http.put(SCHEDULE, json=planned(file.id))).status_code == 200
        await sdk.files.delete(file.id)
        for id in (batch.id, await fired(http)):
            [answer] = await lines_of(sdk, (await ended(sdk, id)).output_file_id)
            assert answer["response"]["body"]["choices"][0]["message"]["content"] == SEEN
        await http.delete(SCHEDULE)


async def by_a_letter(world: World, pool: Child) -> Child:
    """A call fails, is tried again by hand, and its worker is killed meanwhile; the pool after that one."""
    await world.simulator.behave("sim-mini", status=400, error_message="<EMAIL_1> is blocked")
    async with Continuo.connect() as continuo:
        run = await continuo.start(MINI, ASKED, user=EMAIL)
        with pytest.raises(RunFailed):
            await run.result()
        await world.simulator.behave("sim-mini", text=SAID, latency=2)
        before = len(await world.simulator.calls("sim-mini"))

        async def listed() -> bool:
            told = await command("dead-letters", "retry", run.id)
            return told.code == 0

        await until(listed)

        async def asked() -> bool:
            return len(await world.simulator.calls("sim-mini")) > before

        await until(asked)
        await kill(pool)
        pool = await world.pool()
        assert (await (await continuo.get(run.id)).result()).text == SAID
    return pool


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_nothing_private_is_kept_of_agents_reviews_batches_retries_and_killed_workers(world: World) -> None:
    pool, _ = await asyncio.gather(world.pool(), world.pool("batch"))
    await by_an_agent(world)
    await by_a_review(world)
    async with served_gateway(world.folder / "gateway.log") as gateway:
        await by_batches(world, gateway)
    pool = await by_a_letter(world, pool)
    sent = json.dumps(await world.simulator.calls())
    assert [value for value in CANARIES if value in sent] == []
    await pool.stop()
    assert leaks(world.folder) == {}
