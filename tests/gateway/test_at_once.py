"""An answer that is known already comes from the gateway itself, to each SDK."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from continuo.config.settings import Settings
from continuo.door.answered import Answered
from continuo.jobs import Outcome
from continuo.protection.masking import LONG, Masker
from continuo.starters.gateway.entry import Entered
from continuo.starters.gateway.kept import begin
from continuo.stores.answers import Answers, Kept
from continuo.stores.items import Content
from continuo.stores.opened import open_store
from continuo.stores.requests import Known
from continuo.testing.processes import Control
from continuo.wire import chat
from continuo.wire.parsed import parsed
from tests.support.gateway import GatewayProcess, new_key


def asking(prompt: str, **fields: Any) -> dict[str, Any]:
    return {"model": "cost-optimised", "messages": [{"role": "user", "content": prompt}], **fields}


@pytest.fixture
def prompt() -> str:
    return f"What is {uuid4()}?"


async def test_an_answer_in_the_cache_is_told_whole_and_streamed_without_a_workflow(
    gateway: GatewayProcess, simulator: Control, client: Client, prompt: str
) -> None:
    async with gateway.openai() as openai:
        first = await openai.chat.completions.create(**asking(prompt))
        raw = await openai.chat.completions.with_raw_response.create(**asking(prompt))
        again = raw.parse()
        assert (again.choices[0].message.content, again.id != first.id) == (first.choices[0].message.content, True)
        assert (raw.headers["x-continuo-cache"], raw.headers["x-continuo-cost-usd"]) == ("hit", "0.0")
        with pytest.raises(RPCError, match="not found"):
            await client.get_workflow_handle(raw.headers["x-continuo-run-id"]).describe()
        stream = await openai.chat.completions.create(**asking(prompt, stream=True))
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == first.choices[0].message.content
    assert len(await simulator.calls()) == 1


async def test_with_an_idempotency_key_it_is_one_run_as_ever(
    gateway: GatewayProcess, simulator: Control, client: Client, prompt: str
) -> None:
    async with gateway.http() as http:
        await http.post("/v1/chat/completions", json=asking(prompt))
        keyed = {"idempotency-key": uuid4().hex}
        answers: list[httpx.Response] = [
            await http.post("/v1/chat/completions", json=asking(prompt), headers=keyed) for _ in range(2)
        ]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await client.get_workflow_handle(answers[0].headers["x-continuo-run-id"]).describe()


async def test_what_is_known_counts_towards_the_limits_of_its_key(gateway: GatewayProcess, prompt: str) -> None:
    async with gateway.http(await new_key(requests_per_minute=2)) as http:
        statuses = [(await http.post("/v1/chat/completions", json=asking(prompt))).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


class LookedThrough(Answers):
    """In which another process looks for what is to come as soon as something is kept."""

    to_come: list[str]

    async def begin(self, kept: Kept, input: Content, check: Any = None) -> None:
        await super().begin(kept, input, check)
        self.to_come = [one.id async for one in self.open()]


async def test_what_is_known_is_kept_with_its_answer_so_that_nobody_looks_for_a_run(tmp_path: Path) -> None:
    store = open_store(Settings(data=tmp_path), {})
    answers = LookedThrough(store, "here")
    answering = SimpleNamespace(
        run=Answered("r", Outcome(text="Known.", served_by="cache")), known=Known("1", 1.0), pattern="cached"
    )
    body = parsed(chat.Body, b'{"model": "m", "messages": [{"role": "user", "content": "What?"}], "store": true}')
    private = SimpleNamespace(policy=SimpleNamespace(restore=False))
    gateway = SimpleNamespace(answers=answers, masker=Masker([], LONG))
    request = SimpleNamespace(
        gateway=gateway, key=SimpleNamespace(tenant="acme"), body=body, answering=answering, private=private
    )
    kept = await begin(cast("Entered[chat.Body]", request), "completion", "chatcmpl-1", chat.written(body), [])
    assert answers.to_come == []
    found = await answers.find("acme", "completion", "chatcmpl-1")
    assert found is not None
    assert (found.status, found.answer) == ("completed", kept.answer)
    await store.aclose()
