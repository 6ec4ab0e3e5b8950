"""The entity that owns the state of a provider's breaker: one for all workers, through every restart."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.breakers import Breakers
from continuo.breaker import TYPE, Report, State, cooled_down, forced, may_probe, probing, reported, reset
from workflows.activity_options import STORE_LIMIT

MOST_SIGNALS = 500
"""Of one run, before it continues as new."""


@workflow.defn(name=TYPE)
class BreakerWorkflow:
    """Lives until it is terminated. Whatever it is told, it shows its state anew: a lost board is soon whole again."""

    @workflow.init
    def __init__(self, state: State) -> None:
        self._state = state
        self._signals = 0
        self._told = False

    @workflow.run
    async def run(self, state: State) -> None:
        while True:
            self._told = False
            self._state = cooled_down(self._state, workflow.now())
            await self._show()
            if self._told:
                continue
            if self._signals >= MOST_SIGNALS or workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._state)
            try:
                await workflow.wait_condition(lambda: self._told, timeout=self._cooling())
            except TimeoutError:
                continue

    @workflow.query
    def state(self) -> State:
        return self._state

    @workflow.signal
    def ended(self, report: Report) -> None:
        """How a call has ended, from a worker."""
        self._become(reported(self._state, report, workflow.now()))

    @workflow.signal
    def force_open(self, note: str = "") -> None:
        """No call goes to the provider until another signal says otherwise."""
        self._become(forced(self._state, "open", _by_hand("forced open", note), workflow.now()))

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
        self._told = True

    def _cooling(self) -> timedelta | None:
        """How long until there is something to do without being told."""
        until = self._state.until
        return None if until is None else max(until - workflow.now(), timedelta())

    async def _show(self) -> None:
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
            await workflow.execute_local_activity_method(Breakers.publish, state, schedule_to_close_timeout=STORE_LIMIT)
        except FailureError as error:
            workflow.logger.warning(f"the state of {state.provider} cannot be shown: {error}")


def _by_hand(what: str, note: str) -> str:
    return f"{what}: {note}" if note else what
