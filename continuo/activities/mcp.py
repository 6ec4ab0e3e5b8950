"""The activity that calls a tool of an MCP server."""

from functools import partial
from time import monotonic

from pydantic import JsonValue
from temporalio import activity

from continuo.activities.errors import give_up_or_retry, patiently, unless_broken
from continuo.activities.identity import identity
from continuo.activities.observed import tool_span
from continuo.activities.revealing import Revealed, Revealing
from continuo.activities.unexpected import reaching_out
from continuo.authoring.filled import filled
from continuo.decisions.confidence import confidence_in
from continuo.errors import ErrorKind, InputError, ProviderError
from continuo.jobs import Failure, Job, Outcome
from continuo.parameters import Tool as Offered
from continuo.patterns import Mcp, Retry
from continuo.protection.masking import Masker
from continuo.providers.limited import at_most
from continuo.stores.tools import SentCalls
from continuo.tools.answer import text_of
from continuo.tools.servers import ToolServers
from continuo.tools.tool import Tool


class ToolCalls:
    """Calls tools. An answer is kept by the call's identity; one that is lost is not asked for again blindly."""

    def __init__(self, servers: ToolServers, sent: SentCalls, masker: Masker, revealing: Revealing) -> None:
        self._servers = servers
        self._sent = sent
        self._masker = masker
        self._revealing = revealing

    @reaching_out
    @activity.defn(name="mcp")
    async def mcp(self, job: Job) -> Outcome:
        """Answer a job whose step is an `Mcp` call; the outcome's text is what the tool answers."""
        step = job.step
        assert isinstance(step, Mcp)
        revealed = Revealed(job)
        try:
            revealed = await self._revealing.of(job)
            with tool_span(job, step.tool):
                text = await self._answer(step, revealed)
        except ProviderError as error:
            message = await revealed.withheld(self._masker.text(str(error)))
            raise give_up_or_retry(error, Failure(type=error.kind, message=message), step.retry) from None
        return Outcome(text=text, served_by="tool", confidence=confidence_in(text))

    @reaching_out
    @activity.defn(name="list_tools")
    async def list(self, server: str) -> tuple[Offered, ...]:
        """The tools that an agent may use of a server. It is asked again as long as it is away."""
        try:
            tools = await self._servers.tools(server)
        except ProviderError as error:
            message = self._masker.text(str(error))
            raise give_up_or_retry(error, Failure(type=error.kind, message=message), Retry()) from None
        return tuple(
            Offered(name=tool.name, description=tool.description, parameters=tool.input_schema) for tool in tools
        )

    async def _answer(self, step: Mcp, revealed: Revealed) -> str:
        """Raises `ProviderError`."""
        job = revealed.job
        key, begun, what = job.effect or identity(), monotonic(), f"{step.server}: {step.tool}"
        sent, answer = await patiently("the store of calls of tools", partial(self._sent.find, key))
        if answer is not None:
            return answer
        async with at_most(what, step.timeout):
            tool = await self._servers.tool(step.server, step.tool)
        given = arguments(step, tool, job)
        tool.check(given)
        if sent and not tool.repeatable:
            raise _unknown_end("connection", f"{what}: an earlier attempt gave no answer")
        session = await self._servers.session(step.server)
        if not tool.repeatable:
            await patiently("the store of calls of tools", partial(self._sent.sending, key))
        try:
            async with at_most(what, max(0.0, step.timeout - (monotonic() - begun))):
                result = await session.call(tool, given, key)
        except ProviderError as error:
            if session.unsent:
                await unless_broken("the store of calls of tools", self._sent.unsent(key))
            elif error.retryable and not tool.repeatable:
                raise _unknown_end(error.kind, str(error)) from None
            raise
        text = await revealed.withheld(self._masker.text(text_of(what, result)))
        await unless_broken("the store of calls of tools", self._sent.answered(key, text))
        return text


def arguments(step: Mcp, tool: Tool, job: Job) -> dict[str, JsonValue]:
    """What the tool is called with. Raises `ProviderError`."""
    values = job.values
    properties = tool.input_schema.get("properties", {})
    if not step.input:
        # What the data calls `input` is the argument of that name, and what is asked is one where there is none.
        given = {**values, **job.data}
        return {name: given[name] for name in given if isinstance(properties, dict) and name in properties}
    try:
        return {field: filled(field, template, values) for field, template in step.input.items()}
    except InputError as error:
        raise ProviderError("invalid_request", f"{step.server}: tool {step.tool!r}: {error}") from None


def _unknown_end(kind: ErrorKind, what: str) -> ProviderError:
    why = "it may have been done, and is not called again, since its server does not mark it as idempotent"
    return ProviderError(kind, f"{what}; {why}")
