"""The state of a provider's breaker, and what changes it: pure, the time given."""

from datetime import datetime, timedelta
from typing import Literal

from continuo.config.catalog import BreakerPolicy
from continuo.data import Data
from continuo.errors import ProviderError

TYPE = "Breaker"
"""The workflow type of the entity that owns a state."""

QUEUE = "standard"
"""Where the entities live."""

KEPT = 10
"""Transitions that are remembered."""


class Transition(Data):
    """When a breaker became what it is, and why."""

    time: datetime
    state: Literal["closed", "open", "half_open"]
    why: str


class Probe(Data):
    """The one call that an ailing provider gets; its `holder` may be dead after `until`."""

    holder: str
    until: datetime


class State(Data):
    """What is known of a provider. `version` rises with every change.

    `failures` are those in a row while closed, `successes` those of probes while half-open. An open one becomes
    half-open at `until` (UTC), a `forced` one without it stays as it is until it is forced otherwise or reset.
    """

    provider: str
    state: Literal["closed", "open", "half_open"] = "closed"
    forced: bool = False
    failures: int = 0
    successes: int = 0
    until: datetime | None = None
    probe: Probe | None = None
    version: int = 0
    transitions: tuple[Transition, ...] = ()

    @property
    def health(self) -> Literal["healthy", "degraded", "down"]:
        if self.state == "open":
            return "down"
        return "degraded" if self.failures or self.state == "half_open" else "healthy"

    @property
    def why(self) -> str:
        """Why it is what it is."""
        return self.transitions[-1].why if self.transitions else "nothing has failed"


class CallEnd(Data):
    """How a call has ended, as a worker tells the entity; `breaker` has the thresholds that hold now.

    `holder` is the call. `released` is a probe that has told nothing, neither good nor bad.
    """

    ended: Literal["failed", "succeeded", "released"]
    holder: str
    breaker: BreakerPolicy
    why: str = ""


def workflow_id(provider: str) -> str:
    return f"breaker/{provider}"


def ill(error: ProviderError, breaker: BreakerPolicy) -> bool:
    """Whether the error says that the provider is ill, and not that the request is wrong."""
    if error.status is not None:
        return error.status >= 500 or error.status == 408 or (error.status == 429 and breaker.on_rate_limit)
    return error.kind in ("timeout", "connection")


def after_call(state: State, end: CallEnd, now: datetime) -> State:
    """A call has ended. A half-open breaker heeds its probe alone, an open or a forced one nothing."""
    if state.forced or state.state == "open":
        return state
    if state.state == "closed":
        return state if end.ended == "released" else _counted(state, end, now)
    if state.probe is None or state.probe.holder != end.holder:
        return state
    if end.ended == "failed":
        return _opened(state, end, "the probe failed", now)
    successes = state.successes + (end.ended == "succeeded")
    if successes >= end.breaker.successes:
        return _moved(state, "closed", f"{successes} probes succeeded", now)
    return _changed(state, successes=successes, probe=None)


def _counted(state: State, end: CallEnd, now: datetime) -> State:
    failures = state.failures + 1 if end.ended == "failed" else 0
    if failures >= end.breaker.failures:
        return _opened(state, end, f"{failures} failures in a row", now)
    return state if failures == state.failures else _changed(state, failures=failures)


def may_probe(state: State, now: datetime) -> bool:
    return state.state == "half_open" and (state.probe is None or state.probe.until <= now)


def probing(state: State, holder: str, lease: float, now: datetime) -> State:
    """The probe is the holder's, for `lease` seconds; `may_probe` has said that it may."""
    return _changed(state, probe=Probe(holder=holder, until=now + timedelta(seconds=lease)))


def cooled_down(state: State, now: datetime) -> State:
    """Half-open, if it was open long enough."""
    if state.state != "open" or state.until is None or now < state.until:
        return state
    return _moved(state, "half_open", "the cool-down is over", now)


def forced(
    state: State, to: Literal["open", "closed"], why: str, now: datetime, length: timedelta | None = None
) -> State:
    """Open or closed until it is forced otherwise or reset; one that is open for a `length` then is half-open."""
    until = None if length is None else now + length
    return _moved(state, to, why, now).model_copy(update={"forced": True, "until": until})


def reset(state: State, why: str, now: datetime) -> State:
    """Closed, with nothing counted."""
    return _moved(state, "closed", why, now)


def _opened(state: State, end: CallEnd, why: str, now: datetime) -> State:
    until = now + timedelta(seconds=end.breaker.cool_down)
    return _moved(state, "open", f"{why}; the last: {end.why}", now).model_copy(update={"until": until})


def _moved(state: State, to: Literal["closed", "open", "half_open"], why: str, now: datetime) -> State:
    transitions = (*state.transitions, Transition(time=now, state=to, why=why))[-KEPT:]
    return State(provider=state.provider, state=to, version=state.version + 1, transitions=transitions)


def _changed(state: State, **update: object) -> State:
    return state.model_copy(update={**update, "version": state.version + 1})
