"""The tools that an agent's model calls, at once where it calls several at once."""

import json
from collections.abc import Mapping
from functools import partial

from continuo.decisions.agent import answered, asked_of
from continuo.errors import unknown
from continuo.jobs import Failure, Job, Outcome
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.patterns import Agent
from continuo.workflows.agent_turns import examine
from continuo.workflows.step import try_step
from continuo.workflows.together import Result, together

UNKNOWN_END = frozenset({"timeout", "connection", "server_error", "invalid_response", "worker_lost"})
"""The failures after which nobody knows whether a tool has done what it was to do."""


UNKNOWN = "nobody knows whether it has been done, and it is not tried again; find out before you call it once more"


class Tools:
    """Runs what the model calls. `waited` are the seconds in which all that ran waited for a person."""

    def __init__(self, agent: Agent, job: Job, id: str) -> None:
        self._agent = agent
        self._job = job
        self._id = id
        self.waited = 0.0

    async def run(self, answer: Message, turn: int) -> list[Message]:
        """What each call of the answer came to, in their order: what is wrong with it, its result or why it failed."""
        calls = {str(number): call for number, call in enumerate(answer.tool_calls, 1)}
        mistakes = await self._mistakes(calls)
        work = {
            number: partial(self._one, call, turn, number) for number, call in calls.items() if not mistakes[number]
        }
        results = await together(work, _never) if work else {}
        return [answered(call, mistakes[number] or _said(results[number])) for number, call in calls.items()]

    async def refused(self, answer: Message, limit: str) -> list[Message]:
        return [answered(call, f"Error: not run: {limit}") for call in answer.tool_calls]

    async def _mistakes(self, calls: Mapping[str, ToolCall]) -> dict[str, str | None]:
        tools = self._agent.tools
        schemas = [tools[call.name].takes if call.name in tools else None for call in calls.values()]
        wrong = await examine([call.arguments or "{}" for call in calls.values()], schemas)
        mistakes: dict[str, str | None] = {}
        for (number, call), mistake in zip(calls.items(), wrong, strict=True):
            if call.name not in tools:
                mistakes[number] = f"Error: {unknown('tool', call.name, tools)}"
            else:
                mistakes[number] = mistake and f"Error: the arguments are wrong: {mistake}"
        return mistakes

    async def _one(self, call: ToolCall, turn: int, number: str) -> Result:
        tool, written = self._agent.tools[call.name], call.arguments or "{}"
        arguments = json.loads(written)
        prompt = Message(role="user", content=asked_of(tool, arguments, written))
        update = {
            "request": ModelRequest(messages=(prompt,)),
            "data": arguments,
            "agent": self._id,
            "once": not tool.idempotent,
        }
        # The path, and with it the key of the effect, follows from what the run did, and not from the model's own id.
        result = await try_step(tool.step, self._job.model_copy(update=update), f"{call.name}.{turn}.{number}")
        if not tool.idempotent and isinstance(result, Failure) and result.type in UNKNOWN_END:
            return result.model_copy(update={"type": "answer_lost", "message": f"{result.message}; {UNKNOWN}"})
        return result


def _said(result: Result) -> str:
    return result.text if isinstance(result, Outcome) else f"Error: {result.cause}"


async def _never(results: Mapping[str, Result]) -> bool:
    return False
