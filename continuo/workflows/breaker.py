"""The entity that owns the state of a provider's breaker: one for all workers, through every restart."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

from continuo.activities.breakers import Breakers
from continuo.protection.breaker import TYPE, CallEnd, State, after_call, cooled_down, forced, may_probe, probing, reset

MOST_SIGNALS = 500
"""Of one run, before it continues as new."""

SHOW_AGAIN = timedelta(seconds=10)
"""For one attempt to show a state, and from one that failed to the next."""


@workflow.defn(name=TYPE, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class BreakerWorkflow:
    """Lives until it is terminated. Whatever it is told, it shows its state anew: a lost board is soon whole again."""

    @workflow.init
    def __init__(self, state: State) -> None:
        self._state = state
        self._signals = 0
        self._changed = False

    @workflow.run
    async def run(self, state: State) -> None:
        while self._signals < MOST_SIGNALS and not workflow.info().is_continue_as_new_suggested():
            self._changed = False
            self._state = cooled_down(self._state, workflow.now())
            shown = await self._show()
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._changed, timeout=self._pause(shown=shown))
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._state)

    @workflow.query
    def state(self) -> State:
        return self._state

    @workflow.signal
    def ended(self, end: CallEnd) -> None:
        """How a call has ended, from a worker."""
        self._become(after_call(self._state, end, workflow.now()))

    @workflow.signal
    def force_open(self, note: str = "", length: float | None = None) -> None:
        """No call goes to the provider for `length` seconds, by default until another signal says otherwise."""
        lasting = None if length is None else timedelta(seconds=length)
        self._become(forced(self._state, "open", _by_hand("forced open", note), workflow.now(), lasting))

    @workflow.signal
    def force_close(self, note: str = "") -> None:
        """All calls go to the provider, whatever fails, until another signal says otherwise."""
        self._become(forced(self._state, "closed", _by_hand("forced closed", note), workflow.now()))

    @workflow.signal
    def reset(self, note: str = "") -> None:
        """Closed, with nothing counted, and ordinary again."""
        self._become(reset(self._state, _by_hand("reset", note), workflow.now()))

    @workflow.update
    def probe(self, holder: str, lease: float) -> None:
        """Give the one probe to a call, for `lease` seconds at most."""
        now = workflow.now()
        self._become(probing(cooled_down(self._state, now), holder, lease, now))

    @probe.validator
    def _validate_probe(self, holder: str, lease: float) -> None:
        now = workflow.now()
        if not may_probe(cooled_down(self._state, now), now):
            raise ValueError(f"the breaker is {self._state.state}, and gives no probe")

    def _become(self, state: State) -> None:
        self._state = state
        self._signals += 1
        self._changed = True

    def _pause(self, *, shown: bool) -> timedelta | None:
        """How long until there is something to do without being told."""
        until = self._state.until
        pauses = [] if until is None else [max(until - workflow.now(), timedelta())]
        return min([*pauses, *([] if shown else [SHOW_AGAIN])], default=None)

    async def _show(self) -> bool:
        """In the UI, and to all workers; False where the store is down, which must not keep a cool-down from ending."""
        state = self._state
        workflow.set_current_details(
            "\n\n".join(
                [
                    f"**{state.provider}: {state.state}** ({state.health}), {state.failures} failures in a row",
                    *(f"{one.time:%Y-%m-%d %H:%M:%S} UTC {one.state}: {one.why}" for one in state.transitions[::-1]),
                    "Signals: `force_open`, `force_close`, `reset`, each with a note if you like.",
                ]
            )
        )
        try:
            await workflow.execute_local_activity_method(Breakers.publish, state, schedule_to_close_timeout=SHOW_AGAIN)
        except FailureError as error:
            workflow.logger.warning(f"the state of {state.provider} cannot be shown: {error}")
            return False
        return True


def _by_hand(what: str, note: str) -> str:
    return f"{what}: {note}" if note else what
