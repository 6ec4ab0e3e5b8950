"""The one way from what somebody asks to a run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from continuo.authoring.files import is_file
from continuo.authoring.library import Library
from continuo.authoring.prepare import check_text
from continuo.decided import Decision, without_passed
from continuo.door.agents import say, sayable
from continuo.door.answered import Answered, answered, keep_row, refused
from continuo.door.attacks import attacks
from continuo.door.media import NO_MEDIA, keep
from continuo.door.noting import Noting
from continuo.door.private import Withheld, Withholding
from continuo.door.request import Request
from continuo.door.rules import answer_of, by_rule, ruled
from continuo.door.runs import GivesRestoring, Handle, Run, start
from continuo.door.second_opinion import SecondOpinion
from continuo.door.stages import accepted
from continuo.errors import InputError
from continuo.guardrails.private import Private
from continuo.guardrails.restoring import Restoring
from continuo.jobs import Context, Job, Outcome
from continuo.messages import Message, ModelRequest
from continuo.operations.audit import Entry
from continuo.operations.runs import RunRow
from continuo.parts import Media
from continuo.patterns import Template
from continuo.patterns.walk import remembers
from continuo.temporal.attributes import PATTERN, TENANT

TRIES = 5
"""How often a conversation may end just as it is spoken to."""


@dataclass(frozen=True)
class Checked:
    """A request that has passed every stage: the job that does it, the weight of its key, else its tenant's, and what
    the stages decided.

    `private` knows what its placeholders stand for; where the door `restores` the answer, its caller sees that.
    """

    request: Request
    job: Job
    weight: float
    private: Private
    restores: bool
    decisions: tuple[Decision, ...] = ()

    def known_as(self, id: str) -> "Checked":
        """The same request with this id."""
        return replace(self, request=self.request.model_copy(update={"id": id}))

    def run_id(self) -> str:
        """The id of its run, a new one each time where the request has no id and is no part of a conversation."""
        context = self.job.context
        return run_id(self.request, context.tenant, context.conversation)


class Door:
    """Where every caller submits: commands, the Python client, a gateway. One serves a whole process."""

    def __init__(self, client: Client, library: Library, noting: Noting | None = None) -> None:
        """The rows of what is no run are left to `noting`; without it each is written when it is there."""
        self.client = client
        self.library = library
        self.withholding = Withholding(library)
        self.second = SecondOpinion(library, partial(start, client))
        self._noting = noting

    async def submit(self, request: Request, context: Context, media: Mapping[Media, bytes] = NO_MEDIA) -> Run:
        """Check what is asked and start it; what runs under its `id` is joined, what has answered is not done again.

        `media` has the content of those of the request that are not kept yet, which is done before it starts.
        Raises `InputError` for whatever cannot run here, and `RPCError` where Temporal cannot be reached.
        """
        return await self.start(await self.check(request, context), media)

    async def check(self, request: Request, context: Context) -> Checked:
        """The first half of `submit`: nothing has begun. Raises `InputError`; what is refused is in the audit then."""
        async with self.refusals(context, request.pattern_name):
            withheld = await asyncio.to_thread(self.withholding.withheld, request, context)
        return await self._checked(withheld, restores=True)

    async def answered(self, checked: Checked) -> Answered | None:
        """What a rule has answered, which needs no start; None for all else, and where it may be asked for again by an
        id: then a run keeps it, which asks nobody either."""
        outcome = answer_of(checked.job)
        if outcome is None or checked.request.id is not None or checked.job.context.background is not None:
            return None
        run, seen = answered(checked.job, checked.decisions, checked.run_id(), outcome, 0.0)
        await self.note(seen.at_door("answered"), seen.row)
        restored = checked.restores and checked.private.policy.restore
        return replace(run, outcome=checked.private.restored_model(run.outcome)) if restored else run

    async def check_withheld(self, withheld: Withheld) -> Checked:
        """The same for what was made of a request by `withholding`; whoever did that restores the answer."""
        return await self._checked(withheld, restores=False)

    async def start(self, checked: Checked, media: Mapping[Media, bytes] = NO_MEDIA) -> Run:
        """The second half of `submit`."""
        id = checked.run_id()
        await keep(self.client, self.library.settings, media, id)
        # By a rule it may be another pattern than that which was asked for.
        if checked.private.spread or remembers(checked.job.step):
            checked = await self._remembered(checked, id)
        return replace(await self._started(checked, id), restoring=self.restoring(checked))

    def restoring(self, checked: Checked) -> GivesRestoring | None:
        """What restores the answer of a run, where the door does that."""
        private, context = checked.private, checked.job.context

        async def restoring() -> Restoring:
            # Others have said something to the same agent, and steps have come to know more.
            return private if context.vault is None else await self.withholding.restoring(context.tenant, context.vault)

        return restoring if checked.restores and private.policy.restore else None

    async def _remembered(self, checked: Checked, id: str) -> Checked:
        """The same of a run that needs what its placeholders stand for, which is kept."""
        context = checked.job.context.model_copy(update={"vault": id})
        await self.withholding.keep(context.tenant, id, checked.private.values)
        return replace(checked, job=checked.job.model_copy(update={"context": context}))

    async def _started(self, checked: Checked, id: str) -> Run:
        job = checked.job
        starting = partial(start, self.client, job, id=id, weight=checked.weight, decisions=checked.decisions)
        if job.context.conversation is not None:
            return await self._converse(id, job, starting)
        if checked.request.id is None:
            return Run(await starting())
        # A run that its caller asks for by its id has ended, however it did.
        failed_only, never = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, WorkflowIDReusePolicy.REJECT_DUPLICATE
        once = never if job.context.background else failed_only
        try:
            return Run(await starting(reuse=once))
        except WorkflowAlreadyStartedError as error:
            handle = self.client.get_workflow_handle(id, run_id=error.run_id, result_type=Outcome)
            return Run(handle, answered_before=True)

    async def _converse(self, id: str, job: Job, starting: Callable[..., Awaitable[Handle]]) -> Run:
        """Say it to the agent whose conversation it is; where that has ended, begin it anew, and it goes on."""
        for _ in range(TRIES):
            try:
                return Run(await starting(join=False))
            except WorkflowAlreadyStartedError:
                if await say(self.client, id, sayable(job)):
                    return self.run(id)
        raise InputError(f"conversation {job.context.conversation!r} ended whenever it was spoken to; try again")

    async def say(self, id: str, text: str) -> str | None:
        """Say something to the agent that runs as the workflow `id`, after all that a request passes, with placeholders
        that the run knows; None, or what a rule answers in its place, of which the agent learns nothing.

        Raises `InputError` where no agent runs so, and for what is refused.
        """
        check_text("text", text)
        known = await self._described(id)
        attributes = known.typed_search_attributes if known else TypedSearchAttributes.empty
        tenant, pattern = attributes.get(TENANT), attributes.get(PATTERN)
        if tenant is not None and pattern is not None:
            context, decisions = Context(tenant=tenant, pattern=pattern), list[Decision]()
            async with self.refusals(context, pattern, decisions):
                private, said, answer = await asyncio.to_thread(self._said, context, text, decisions)
                if answer is not None:
                    return private.restored(answer.text)
                await self.second.on(private.policy, context, (Message(role="user", content=said),))
            await self.withholding.keep(tenant, id, private.values)
            if await say(self.client, id, said):
                return None
        raise InputError(f"run: no agent runs as {id[:80]!r}; see `continuo runs`, or start it again")

    def _said(self, context: Context, text: str, decisions: list[Decision]) -> tuple[Private, str, Outcome | None]:
        """The text as the agent is told it, with what its placeholders stand for, and what a rule answers to it."""
        private = self.withholding.private(context, context.pattern, spread=True)
        said = private.text(text)
        decisions.append(private.decision)
        request = ModelRequest(messages=(Message(role="user", content=said),))
        decisions.append(attacks(private.policy, request.messages))
        # Which pattern it is for has been decided.
        job = Job(step=Template(text="said"), context=context, request=request)
        return private, said, answer_of(ruled(self.library, job))

    def run(self, id: str) -> Run:
        """The run with this workflow id, submitted before by whomever; if it ran more than once, the newest."""
        return Run(self.client.get_workflow_handle(id, result_type=Outcome))

    async def known(self, id: str) -> Run | None:
        """The same with the id of its run; None where Temporal knows of none."""
        if (known := await self._described(id)) is None:
            return None
        return Run(self.client.get_workflow_handle(id, run_id=known.run_id, result_type=Outcome))

    async def _described(self, id: str) -> WorkflowExecutionDescription | None:
        try:
            return await self.client.get_workflow_handle(id).describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return None

    async def note(self, entry: Entry, row: RunRow | None = None) -> None:
        """Enter what was decided into the audit, and its row among the runs if it has one."""
        if self._noting is not None:
            self._noting.note(entry, row)
        else:
            await keep_row(self.client, self.library, entry, row)

    @asynccontextmanager
    async def refusals(self, context: Context, pattern: str, decisions: Sequence[Decision] = ()) -> AsyncIterator[None]:
        """Inside, an `InputError` about what somebody asks of the pattern is entered, with the `decisions` until
        then."""
        try:
            yield
        except InputError as error:
            await self.refused(error, context, pattern, decisions)
            raise

    async def refused(
        self, error: InputError, context: Context, pattern: str, decisions: Sequence[Decision] = ()
    ) -> None:
        """Enter that what was asked of the pattern was refused by the `error`."""
        who = await asyncio.to_thread(self.withholding.who, context.model_copy(update={"pattern": pattern}))
        await self.note(*refused(who, error, decisions))

    def weight_of(self, context: Context) -> float:
        """The share of a busy queue: that of its key, else its tenant's."""
        return (context.key and context.key.weight) or self.library.tenants.of(context.tenant).weight

    async def _checked(self, withheld: Withheld, *, restores: bool) -> Checked:
        decisions: list[Decision] = []
        request, context, private = withheld
        async with self.refusals(context, request.pattern_name, decisions):
            checked = await asyncio.to_thread(self._passed, withheld, decisions, restores=restores)
            # No model gets to see what a rule has answered.
            if answer_of(checked.job) is None:
                decisions.append(await self.second.on(private.policy, context, request.turns, request.data))
        return replace(checked, decisions=without_passed(decisions))

    def _passed(self, withheld: Withheld, decisions: list[Decision], *, restores: bool) -> Checked:
        request, context, private = withheld
        decisions.append(private.decision)
        decisions.append(attacks(private.policy, request.turns, request.data))
        job = accepted(self.library, request, context)
        decisions.append(by_rule(job))
        return Checked(request, job, self.weight_of(context), private, restores)


def run_id(request: Request, tenant: str, conversation: str | None = None) -> str:
    """The workflow id of a run: a new one, or the one that the request's `id`, or the conversation, has for its pattern
    and `tenant` alone.

    No part but the last can hold a slash, and no tenant is empty, so no two ids are the same by chance.
    """
    name = request.pattern_name
    name = Path(name).stem if is_file(name) else name.replace("%", "%25").replace("/", "%2F").replace(":", "-")
    if conversation is not None:
        return f"{name}//{tenant}/{conversation}"
    return f"{name}-{uuid4()}" if request.id is None else f"{name}/{tenant}/{request.id}"
