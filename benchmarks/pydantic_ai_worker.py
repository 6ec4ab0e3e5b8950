"""A worker with an agent of pydantic-ai, run by the Python of its own environment: it imports nothing of ours."""

import asyncio
import os
import sys

import httpx
from pydantic_ai import Agent
from pydantic_ai.durable_exec.temporal import PydanticAIPlugin, PydanticAIWorkflow, TemporalAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.usage import UsageLimits
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

MODEL, TOOL = sys.argv[1:3]
SIMULATOR = os.environ["CONTINUO_SIM_URL"]

agent = Agent(
    OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=f"{SIMULATOR}/v1", api_key="none")), name="benchmark"
)


@agent.tool_plain
async def look_up(input: str) -> str:
    """Look it up."""
    body = {"model": TOOL, "messages": [{"role": "user", "content": input}]}
    async with httpx.AsyncClient() as http:
        response = await http.post(f"{SIMULATOR}/v1/chat/completions", json=body)
    text: str = response.raise_for_status().json()["choices"][0]["message"]["content"]
    return text


durable = TemporalAgent(agent)


@workflow.defn
class PydanticAiAgent(PydanticAIWorkflow):
    __pydantic_ai_agents__ = [durable]

    @workflow.run
    async def run(self, prompt: str) -> str:
        return (await durable.run(prompt, usage_limits=UsageLimits(request_limit=None))).output


async def serve() -> None:
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], plugins=[PydanticAIPlugin()])
    worker = Worker(
        client,
        task_queue="pydantic-ai",
        workflows=[PydanticAiAgent],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=30,
    )
    async with worker:
        print("pydantic-ai worker ready", flush=True)
        await asyncio.Event().wait()


asyncio.run(serve())
