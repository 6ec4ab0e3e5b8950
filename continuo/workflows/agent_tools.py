"""The tools that an agent's model calls, at once where it calls several at once."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from temporalio import workflow

from continuo.decisions.agent import answered, asked_of
from continuo.decisions.privilege import after, asks_person
from continuo.errors import unknown
from continuo.jobs import Failure, Job, Outcome, Read
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.patterns import Agent, AgentTool, Review
from continuo.workflows.agent_turns import examine
from continuo.workflows.step import try_step
from continuo.workflows.together import Result, together

UNKNOWN_END = frozenset({"timeout", "connection", "server_error", "invalid_response", "worker_lost"})
"""The failures after which nobody knows whether a tool has done what it was to do."""


class Tools:
    """Runs what the model calls. `waited` are the seconds in which all that ran waited for a person, `read` is what the
    agent has read, and `proposed` are the arguments that a person was last shown of each tool."""

    def __init__(self, agent: Agent, job: Job, id: str, read: Read, proposed: Mapping[str, str]) -> None:
        self._agent = agent
        self._job = job
        self._id = id
        self.waited = 0.0
        self.read = read
        self.proposed = {**proposed}
        self._busy = self._people = 0
        self._idle_since: datetime | None = None

    async def run(self, answer: Message, turn: int) -> list[Message]:
        """What each call of the answer came to, in their order: what is wrong with it, its result or why it failed."""
        calls = {str(number): call for number, call in enumerate(answer.tool_calls, 1)}
        mistakes = await self._mistakes(calls)
        work = {
            number: partial(self._one, call, turn, number) for number, call in calls.items() if not mistakes[number]
        }
        self._ran: set[str] = set()
        self._proposing: dict[str, str] = {}
        results = await together(work, _never) if work else {}
        # What was called at once was decided on before any of it was read, and is not compared with each other.
        self.read = after(self.read, (self._agent.tools[calls[number].name] for number in self._ran))
        self.proposed |= self._proposing
        return [
            answered(call, mistakes[number] or _said(results[number]), outside=self._outside(call, number, results))
            for number, call in calls.items()
        ]

    def refused(self, answer: Message, limit: str) -> list[Message]:
        """The same where none is run."""
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

    def _outside(self, call: ToolCall, number: str, results: Mapping[str, Result]) -> bool:
        """Whether what a call came to is the words of others, and not ours or a person's."""
        result = results.get(number)
        by_person = isinstance(result, Outcome) and result.verdict is not None
        return number in self._ran and not by_person and self._agent.tools[call.name].from_outside

    async def _one(self, call: ToolCall, turn: int, number: str) -> Result:
        self._shift(busy=1)
        try:
            return await self._reviewed(call, turn, number)
        finally:
            # Not so when it is collected with a workflow that its worker has let go: that has no clock any more.
            if workflow.in_workflow():
                self._shift(busy=-1)

    async def _reviewed(self, call: ToolCall, turn: int, number: str) -> Result:
        tool, written, place = self._agent.tools[call.name], call.arguments or "{}", f"{turn}.{number}"
        reviews = tool.reviews(call.name)
        why = "approval" if tool.needs_approval else "privilege" if asks_person(tool, self.read) else None
        if why is not None:
            self._proposing[call.name] = _shown(written)
            before = self.proposed.get(call.name)
            result = await self._person(reviews[f"{call.name}.{why}"], f"{call.name}.{place}.{why}", written, before)
            if isinstance(result, Failure) or result.verdict is None or result.verdict.decision == "respond":
                return result
            if result.verdict.decision == "edit":
                written = result.text
                [mistake] = await examine([written], [tool.takes])
                if mistake is not None:
                    message = f"the reviewer has made the arguments wrong: {mistake}"
                    return Failure(type="invalid_request", message=message)
        self._ran.add(number)
        while True:
            result = await self._run(call.name, tool, written, place)
            if tool.idempotent or isinstance(result, Outcome) or result.type not in UNKNOWN_END:
                return result
            lost = await self._person(reviews[f"{call.name}.lost"], f"{call.name}.{place}.lost", written)
            if isinstance(lost, Failure):
                return Failure(type="answer_lost", message=f"{result.message}; nobody knows whether it was done")
            if lost.verdict is None or lost.verdict.decision == "respond":
                return lost

    async def _person(self, review: Review, name: str, written: str, before: str | None = None) -> Result:
        """What a person makes of the call with these arguments, who sees what changed since those `before`. It is not
        decided on others: a review is bound to what it shows."""
        shown = Message(role="user", content=_shown(written))
        update = {"request": ModelRequest(messages=(shown,)), "data": {}, "before": before}
        job = self._job.model_copy(update=update)
        self._shift(people=1)
        try:
            return await try_step(review, job, name)
        finally:
            if workflow.in_workflow():
                self._shift(people=-1)

    def _shift(self, *, busy: int = 0, people: int = 0) -> None:
        """So many more calls run, and so many more of these wait for a person."""
        now = workflow.now()
        if self._idle_since is not None:
            self.waited += (now - self._idle_since).total_seconds()
        self._busy += busy
        self._people += people
        self._idle_since = now if self._people and self._people == self._busy else None

    async def _run(self, name: str, tool: AgentTool, written: str, place: str) -> Result:
        arguments = json.loads(written)
        prompt = Message(role="user", content=asked_of(tool, arguments, written))
        update = {
            "request": ModelRequest(messages=(prompt,)),
            "data": arguments,
            "agent": self._id,
            "once": not tool.idempotent,
            "read": self.read,
        }
        # The path, and with it the key of the effect, follows from what the run did, and not from the model's own id.
        return await try_step(tool.step, self._job.model_copy(update=update), f"{name}.{place}")


def _shown(written: str) -> str:
    """Arguments as a person is shown them."""
    return json.dumps(json.loads(written), indent=2, ensure_ascii=False)


def _said(result: Result) -> str:
    return result.text if isinstance(result, Outcome) else f"Error: {result.cause}"


async def _never(results: Mapping[str, Result]) -> bool:
    return False
