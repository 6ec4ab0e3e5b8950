"""One run, to be waited for, watched, cancelled and decided on."""

from collections.abc import AsyncIterator

from continuo import door
from continuo.client.errors import RunFailed, plain_errors
from continuo.client.following import texts
from continuo.door import agents
from continuo.door.runs import Handle
from continuo.errors import InputError
from continuo.jobs import Failure, Outcome
from continuo.operations.compensations import Decision, Resolution
from continuo.operations.dead_letters import letter_id
from continuo.progress import Progress


class Run:
    """A run that has begun; it goes on when this process ends. `id` finds it again, see `Continuo.get`.

    Its methods raise `NoServer` while the server is away, and `InputError` where the run cannot do what is asked of it.
    """

    def __init__(self, through: door.Door, run: door.Run | door.PlainRun | door.Answered) -> None:
        self._door = through
        self._run = run
        self.id = run.id

    async def result(self) -> Outcome:
        """Its answer, waited for as long as it takes. Raises `RunFailed` if it ends without one."""
        with plain_errors():
            end = await self._run.result()
        if isinstance(end, Failure):
            raise RunFailed(self.id, end)
        return end

    async def stream(self) -> AsyncIterator[str]:
        """The text of its answer as it comes, from its beginning, of a run that was started with `stream`.

        Of any other it comes at its end. Raises what `result` does.
        """
        with plain_errors():
            async for text in texts(self._run):
                yield text
        await self.result()

    async def progress(self) -> Progress:
        """Its steps and calls until now; nothing as long as no pool answers for it."""
        return Progress() if isinstance(self._run, door.Answered) else await self._run.progress()

    async def cancel(self) -> None:
        """Ask it to end: a saga is then undone. `result` says when that is done."""
        with plain_errors(self._ended()):
            await self._run.cancel()

    async def signal(self, name: str, *arguments: object) -> None:
        """Send it a signal, as a pattern kind of one's own may wait for."""
        with plain_errors(self._ended()):
            await self._workflow().signal(name, args=arguments)

    async def say(self, text: str) -> str | None:
        """Say something to an agent, which it reads before its next turn; what a rule answers in its place is returned,
        and the agent is not told."""
        with plain_errors():
            return await self._door.say(self._workflow().id, text)

    async def transcript(self) -> agents.Transcript:
        """All that was said to an agent and by it until now, also where its model saw less."""
        with plain_errors():
            return await agents.transcript(self._door.client, self._door.library.settings, self._workflow().id)

    async def resolve(self, step: str, decision: Decision, *, by: str, note: str = "") -> None:
        """Decide on a saga's compensation that is parked, as its checkpoints tell: try it again, or leave it undone."""
        with plain_errors(self._ended()):
            resolution = Resolution(step=step, decision=decision, by=by, note=note)
            await self._workflow().execute_update("resolve", resolution)

    async def retry(self, pattern: str | None = None) -> None:
        """Run again what failed for good, with the named `pattern` if one is given; `Continuo.get` finds that run."""
        await self._to_letter("retry", pattern)

    async def discard(self, note: str = "") -> None:
        """Give up what failed for good; `note` is kept with its dead letter."""
        await self._to_letter("discard", note)

    async def _to_letter(self, signal: str, value: str | None) -> None:
        letter = self._door.client.get_workflow_handle(letter_id(self.id, self._run.run_id or ""))
        with plain_errors(f"id: {self.id} has no open dead letter; see `continuo dead-letters`"):
            await letter.signal(signal, value)

    def _workflow(self) -> Handle:
        if isinstance(self._run, door.Answered):
            raise InputError(self._ended())
        if isinstance(self._run, door.PlainRun):
            raise InputError(f"id: {self.id} is one call of a model, which waits for no signal and no decision")
        return self._run.handle

    def _ended(self) -> str:
        return f"id: {self.id} has ended; `result` gives what it came to"
