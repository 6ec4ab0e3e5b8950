"""The twin: what a competent engineer writes by hand for the same jobs, with no journal, ledger or account.

`python -m benchmarks.bare` is its worker, with the same options as a pool where they matter.
"""

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from continuo.temporal.connect import connect
from continuo.temporal.leave import leave

QUEUE = "bare"
LIMIT = timedelta(seconds=130)
RETRY = RetryPolicy(maximum_attempts=3)

TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look it up.",
        "parameters": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]},
    },
}


@dataclass
class Ask:
    model: str
    prompt: str


@dataclass
class Deed:
    method: str
    path: str
    order: dict[str, Any]


class Activities:
    def __init__(self, simulator: str, shop: str) -> None:
        self._simulator = simulator
        self._shop = shop
        self._http = httpx.AsyncClient()

    @activity.defn
    async def ask(self, ask: Ask) -> str:
        body = {"model": ask.model, "messages": [{"role": "user", "content": ask.prompt}]}
        response = await self._http.post(f"{self._simulator}/v1/chat/completions", json=body)
        if response.status_code == 400:
            raise ApplicationError("wrong request", non_retryable=True)
        text: str = response.raise_for_status().json()["choices"][0]["message"]["content"]
        return text

    @activity.defn
    async def turn(self, model: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """The model's next message of a conversation, which may call a tool."""
        body = {"model": model, "messages": messages, "tools": [TOOL]}
        response = await self._http.post(f"{self._simulator}/v1/chat/completions", json=body)
        message: dict[str, Any] = response.raise_for_status().json()["choices"][0]["message"]
        return message

    @activity.defn
    async def act(self, deed: Deed) -> str:
        response = await self._http.request(deed.method, f"{self._shop}{deed.path}", json=deed.order)
        return response.raise_for_status().text


@workflow.defn
class BareFallback:
    """One model after another; with one model it is the single call."""

    @workflow.run
    async def run(self, models: list[str], prompt: str) -> str:
        for model in models:
            try:
                return await _ask(model, prompt)
            except ActivityError:
                continue
        raise ApplicationError("every model failed")


@workflow.defn
class BareCascade:
    """One model after another, whatever they answer: the last is the one that is sure."""

    @workflow.run
    async def run(self, models: list[str], prompt: str) -> str:
        answer = ""
        for model in models:
            answer = await _ask(model, prompt)
        return answer


@workflow.defn
class BareFanOut:
    """The same question many times at once, each an activity or a child workflow."""

    @workflow.run
    async def run(self, model: str, prompt: str, count: int, children: bool) -> list[str]:
        if children:
            return await asyncio.gather(
                *(workflow.execute_child_workflow(BareFallback.run, args=[[model], prompt]) for _ in range(count))
            )
        return await asyncio.gather(*(_ask(model, prompt) for _ in range(count)))


@workflow.defn
class BareBatch:
    """The same question many times, `window` of them at once, each a child workflow; its history takes some 10,000."""

    @workflow.run
    async def run(self, model: str, prompt: str, count: int, window: int) -> int:
        places = asyncio.Semaphore(window)

        async def one(number: int) -> None:
            async with places:
                await workflow.execute_child_workflow(BareFallback.run, args=[[model], f"{prompt} {number}"])

        await asyncio.gather(*map(one, range(count)))
        return count


async def _ask(model: str, prompt: str) -> str:
    return await workflow.execute_activity_method(
        Activities.ask, Ask(model, prompt), start_to_close_timeout=LIMIT, retry_policy=RETRY
    )


@workflow.defn
class BareAgent:
    """A model that calls a tool, another model, until it answers."""

    @workflow.run
    async def run(self, model: str, tool: str, prompt: str) -> str:
        messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
        while True:
            message = await workflow.execute_activity_method(
                Activities.turn, args=[model, messages], start_to_close_timeout=LIMIT, retry_policy=RETRY
            )
            messages.append(message)
            if not message.get("tool_calls"):
                return str(message["content"])
            for call in message["tool_calls"]:
                answer = await _ask(tool, json.loads(call["function"]["arguments"])["input"])
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": answer})


@workflow.defn
class BareSaga:
    @workflow.run
    async def run(self, order: dict[str, Any]) -> str:
        key = str(workflow.uuid4())
        paths = [f"/inventory/reservations/{key}", f"/payment/charges/{key}", f"/shipping/shipments/{key}"]
        begun: list[str] = []
        try:
            for path in paths:
                begun.append(path)
                await self._act("PUT", path, order)
        except ActivityError:
            for path in reversed(begun):
                await self._act("DELETE", path, order)
            raise
        return "done"

    async def _act(self, method: str, path: str, order: dict[str, Any]) -> str:
        return await workflow.execute_activity_method(
            Activities.act, Deed(method, path, order), start_to_close_timeout=LIMIT, retry_policy=RETRY
        )


async def serve() -> None:
    activities = Activities(os.environ["CONTINUO_SIM_URL"], os.environ["CONTINUO_SHOP_URL"])
    worker = Worker(
        await connect(),
        task_queue=QUEUE,
        workflows=[BareAgent, BareBatch, BareCascade, BareFallback, BareFanOut, BareSaga],
        activities=[activities.ask, activities.act, activities.turn],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=30,
    )
    async with worker:
        print("bare worker ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
    leave(0)
