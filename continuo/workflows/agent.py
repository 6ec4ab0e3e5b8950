"""A model that picks tools in a loop until it is done."""

import json
from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from continuo.authoring.prepare import check_text
from continuo.decisions.agent import MOST_EVENTS, Used, all_said, following, of_servers, reached, with_own_ids
from continuo.decisions.compaction import SUMMARISE, left_out, note
from continuo.decisions.privilege import after, as_data
from continuo.jobs import Account, Failure, Job, Outcome, total_cost
from continuo.messages import Earlier, Message
from continuo.patterns import Agent
from continuo.temporal.failures import failed, failure_of
from continuo.workflows.agent_state import AgentState
from continuo.workflows.agent_tools import Tools
from continuo.workflows.agent_turns import add, conversation_of, examine, last_turn, list_tools, open_context
from continuo.workflows.base import PatternWorkflow, streamed
from continuo.workflows.recorded import recorded
from continuo.workflows.step import run_step, try_step

SCHEMA = "Your final answer must be JSON that fits this schema, and nothing else: {}"
REPAIR = "Your answer does not fit the schema that it must fit: {}. Answer again, with the JSON alone."


@workflow.defn(name="Agent")
class AgentWorkflow(PatternWorkflow):
    """Always a workflow of its own, so that it can be told more, and can continue as new."""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[Message] = []
        self._ended = False
        self._state: AgentState | None = None

    @workflow.run
    async def run(self, job: Job) -> Outcome:
        agent = job.step
        assert isinstance(agent, Agent)
        job = streamed(job)
        if job.request.response_schema is not None or job.request.response_format:
            # It is one JSON, and no turns of it.
            job = job.model_copy(update={"stream": None})
        if job.carried is None:
            self._state = AgentState(id=str(workflow.uuid4()), begun=workflow.now(), known=job.read)
        else:
            self._take_over(AgentState.model_validate(job.carried))
            job = job.model_copy(update={"carried": None})
        return await self.answer(job, self._loop(agent, job))

    @workflow.query
    def digest(self) -> str | None:
        """That of its last turn, which stands for the whole transcript."""
        return self._state.head.digest if self._state and self._state.head else None

    @workflow.update
    def say(self, text: str) -> None:
        """Say something to the agent, which it reads before its next turn."""
        self._said.append(Message(role="user", content=text))

    @say.validator
    def _validate_say(self, text: str) -> None:
        check_text("the message", text)
        if self._ended:
            raise ValueError("the agent has ended; start it again, with the same conversation if it has one")

    @property
    def _now(self) -> AgentState:
        assert self._state is not None
        return self._state

    def _become(self, **update: object) -> None:
        self._state = self._now.model_copy(update=update)

    async def _add(self, job: Job, messages: Sequence[Message]) -> None:
        self._state = self._now.behind(await add(job, self._now.head, messages))

    async def _loop(self, agent: Agent, job: Job) -> Outcome:
        if self._now.head is None:
            await self._begin(agent, job)
        agent = of_servers(agent, self._now.listed)
        tools = Tools(agent, job, self._now.id, self._now.known, self._now.proposed)
        while True:
            if self._said:
                said, self._said = tuple(self._said), []
                await self._add(job, said)
            if (limit := reached(agent, self._used(tools), turns=1)) is not None:
                return self._stopped(limit)
            if self._now.turns and _is_long(workflow.info()):
                await self._continue(job, tools)
            await self._compact(agent, job)
            outcome = await self._ask(agent, job)
            answer = with_own_ids(outcome.message or Message(role="assistant", content=outcome.text), self._now.turns)
            mistake = None
            if agent.output is not None and not answer.tool_calls:
                [mistake] = await examine([answer.text], [agent.output])
            match following(agent, answer, mistake, self._now.repaired):
                case "tools":
                    wanted = len(answer.tool_calls)
                    limit = reached(agent, self._used(tools), calls=wanted)
                    results = tools.refused(answer, limit) if limit else await tools.run(answer, self._now.turns)
                    self._become(calls=self._now.calls + (0 if limit else wanted), known=tools.read)
                    await self._add(job, (answer, *results))
                    if limit:
                        return self._stopped(limit)
                case "finish":
                    await self._add(job, (answer,))
                    if not self._said:
                        return self._finished(outcome)
                case "repair":
                    self._become(repaired=self._now.repaired + 1)
                    await self._add(job, (answer, Message(role="user", content=REPAIR.format(mistake))))
                case "invalid":
                    await self._add(job, (answer,))
                    message = f"the answer does not fit the schema of the output: {mistake}"
                    raise failed(Failure(type="InvalidOutput", message=message))

    async def _begin(self, agent: Agent, job: Job) -> None:
        """The tools of servers; what was said in the conversation before, if it is one; and then what is asked now."""
        self._become(listed={server: await list_tools(server) for server in agent.servers})
        if (conversation := conversation_of(job)) is not None:
            before = await last_turn(conversation)
            if before is not None:
                self._state = self._now.behind(before)
                # Which of its tools were called then is not known any more.
                self._become(known=after(self._now.known, of_servers(agent, self._now.listed).tools.values()))
        await self._add(job, job.request.messages)
        self._become(task=self.digest())

    async def _ask(self, agent: Agent, job: Job) -> Outcome:
        number = self._now.turns + 1
        workflow.set_current_details(f"Turn {number} of at most {agent.turns}, after {self._now.calls} calls of tools")
        asking = self._asking(agent, job, self._now.earlier)
        streams = job.stream is not None and "model" in agent.answering()
        if streams:
            asking = asking.model_copy(update={"turn": number, "said": len(self._now.said)})
        try:
            outcome = await run_step(agent.model, asking, "model")
        except FailureError as error:
            if not self._now.said or is_cancelled_exception(error):
                raise
            failure = failure_of(error)
            message = f"{failure.message}; some of the answer was delivered, and no other follows it"
            raise failed(failure.model_copy(update={"type": "stream_broken", "message": message})) from error
        called = [call.name for call in outcome.message.tool_calls] if outcome.message else []
        self.counted.note(f"{job.path or 'agent'}: turn {number}: {', '.join(called) or 'an answer'}")
        read = outcome.usage.input_tokens if outcome.usage and outcome.usage.input_tokens else self._now.read
        self._become(
            turns=number,
            read=read,
            text=outcome.text or self._now.text,
            said=all_said(self._now.said, outcome.text) if streams else "",
            simulated=self._now.simulated or outcome.simulated,
        )
        return outcome

    def _asking(self, agent: Agent, job: Job, earlier: Earlier, *messages: Message) -> Job:
        request = agent.passed("model", job.request)
        system = request.system or agent.system
        output = agent.output or job.request.response_schema
        if output is not None and request.response_schema is None:
            schema = SCHEMA.format(json.dumps(output))
            system = f"{system}\n\n{schema}" if system else schema
        request = request.model_copy(update={"messages": messages, "earlier": earlier, "system": system})
        return job.model_copy(update={"request": request, "data": {}})

    async def _compact(self, agent: Agent, job: Job) -> None:
        """Leave the oldest turns out of what the model is shown, once that is too much."""
        state, context = self._now, agent.context
        if state.read <= context.tokens:
            return
        count = await recorded(job, "left out", left_out(state.sizes, state.read, context), int)
        if not count:
            return
        gone, kept = state.shown[:count], state.shown[count:]
        turns = sum(one.turns for one in gone)
        text = ""
        if context.summary is not None:
            earlier = Earlier(digest=gone[-1].digest, last=turns, opening=state.opening)
            asking = self._asking(agent, job, earlier, Message(role="user", content=SUMMARISE))
            request = asking.request.model_copy(update={"tool_choice": "none" if agent.tools else None})
            summary = await try_step(context.summary, asking.model_copy(update={"request": request}), "summary")
            if isinstance(summary, Outcome):
                text = as_data(summary.text) if state.known.outside else summary.text
        task = None if any(one.digest == state.task for one in kept) else state.task
        opening = await open_context(task, note(state.left_out + turns, text))
        read = state.read - sum(one.tokens for one in gone) + opening.tokens
        self._become(opening=opening.digest, shown=kept, left_out=state.left_out + turns, read=read)

    async def _continue(self, job: Job, tools: Tools) -> None:
        """Go on in a new workflow, with a history of its own."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        state = self._now.model_copy(
            update={
                "account": self.counted.accounted(Account()),
                "waiting": tuple(self._said),
                "seconds": self._used(tools).seconds,
                "proposed": tools.proposed,
            }
        )
        carried = state.model_dump(mode="json", exclude_defaults=True)
        workflow.continue_as_new(job.model_copy(update={"carried": carried}))

    def _take_over(self, state: AgentState) -> None:
        """Go on from what the workflow before has handed on."""
        self.before = workflow.info().start_time - state.begun
        self.counted.include(state.account)
        self._said[:0] = state.waiting
        # These are kept there from here on.
        self._state = state.model_copy(update={"account": Account(), "waiting": ()})

    def _used(self, tools: Tools) -> Used:
        working = (workflow.now() - workflow.info().start_time).total_seconds() - tools.waited
        cost = total_cost(tuple(self.counted.calls))
        return Used(
            turns=self._now.turns, calls=self._now.calls, cost_usd=cost, seconds=self._now.seconds + max(0.0, working)
        )

    def _finished(self, outcome: Outcome) -> Outcome:
        self._ended = True
        # What was streamed stands, and an answer is whole with it.
        text = self._now.said or outcome.text
        return outcome.model_copy(update={"text": text, "turns": self.digest(), "simulated": self._now.simulated})

    def _stopped(self, limit: str) -> Outcome:
        """What there is, where a limit leaves no room for more."""
        text = self._now.text or f"There is no answer: {limit}."
        stopped = Outcome(text=text, served_by="model", finish_reason="length", partial=True, reasons=(limit,))
        return self._finished(stopped)


def _is_long(info: workflow.Info) -> bool:
    return info.is_continue_as_new_suggested() or info.get_current_history_length() >= MOST_EVENTS
