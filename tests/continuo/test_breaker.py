"""The breaker's state beside a model of the rules, whatever happens in whatever order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from continuo.config.catalog import BreakerPolicy
from continuo.errors import ErrorKind, ProviderError
from continuo.protection.breaker import (
    KEPT,
    CallEnd,
    State,
    after_call,
    cooled_down,
    forced,
    ill,
    may_probe,
    probing,
    reset,
)

BREAKER = BreakerPolicy(failures=3, cool_down=60, successes=2)
START = datetime(2026, 11, 21, tzinfo=UTC)


class Machine(RuleBasedStateMachine):
    """What the rules say is kept apart: a row of failures, a row of good probes, who probes, and until when."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State(provider="p")
        self.now = START
        self.expected = "closed"
        self.by_hand = False
        self.row = 0
        self.good = 0
        self.until: datetime | None = None
        self.prober: str | None = None
        self.lease = START

    def report(self, ended: str, holder: str) -> None:
        self.state = after_call(
            self.state,
            CallEnd.model_validate({"ended": ended, "holder": holder, "breaker": BREAKER, "why": "x"}),
            self.now,
        )

    @rule(seconds=st.sampled_from([0, 1, 29, 30, 59, 60, 61]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def looked_at(self) -> None:
        self.state = cooled_down(self.state, self.now)
        if self.expected == "open" and self.until is not None and self.now >= self.until:
            self.expected, self.by_hand, self.good, self.prober = "half_open", False, 0, None

    @rule(holder=st.sampled_from(["a", "b"]))
    def a_call_fails(self, holder: str) -> None:
        self.report("failed", holder)
        if self.by_hand or self.expected == "open":
            return
        if self.expected == "closed":
            self.row += 1
        if self.row == 3 or (self.expected == "half_open" and self.prober == holder):
            self.expected, self.until, self.row = "open", self.now + timedelta(seconds=60), 0

    @rule(holder=st.sampled_from(["a", "b"]))
    def a_call_succeeds(self, holder: str) -> None:
        self.report("succeeded", holder)
        if self.by_hand:
            return
        if self.expected == "closed":
            self.row = 0
        if self.expected == "half_open" and self.prober == holder:
            self.good, self.prober = self.good + 1, None
            if self.good == 2:
                self.expected, self.row = "closed", 0

    @rule(holder=st.sampled_from(["a", "b"]))
    def a_call_tells_nothing(self, holder: str) -> None:
        self.report("released", holder)
        if self.expected == "half_open" and self.prober == holder:
            self.prober = None

    @precondition(lambda self: may_probe(self.state, self.now))
    @rule(holder=st.sampled_from(["a", "b"]))
    def the_probe_is_given(self, holder: str) -> None:
        assert self.expected == "half_open"
        assert self.prober is None or self.now >= self.lease
        self.state = probing(self.state, holder, 30, self.now)
        self.prober, self.lease = holder, self.now + timedelta(seconds=30)

    @rule(to=st.sampled_from(["open", "closed"]))
    def it_is_forced(self, to: str) -> None:
        self.state = forced(self.state, "open" if to == "open" else "closed", "by hand", self.now)
        self.expected, self.by_hand, self.row, self.until = to, True, 0, None

    @rule(seconds=st.sampled_from([1, 30, 61]))
    def it_is_forced_open_for_a_while(self, seconds: int) -> None:
        length = timedelta(seconds=seconds)
        self.state = forced(self.state, "open", "by hand", self.now, length)
        self.expected, self.by_hand, self.row, self.until = "open", True, 0, self.now + length

    @rule()
    def it_is_reset(self) -> None:
        self.state = reset(self.state, "by hand", self.now)
        self.expected, self.by_hand, self.row = "closed", False, 0

    @invariant()
    def it_is_as_the_rules_say(self) -> None:
        assert (self.state.state, self.state.forced) == (self.expected, self.by_hand)
        assert self.state.failures == (self.row if self.expected == "closed" else 0)
        assert len(self.state.transitions) <= KEPT

    @invariant()
    def its_health_follows(self) -> None:
        health = (
            "down" if self.expected == "open" else "degraded" if self.row or self.expected != "closed" else "healthy"
        )
        assert self.state.health == health

    @invariant()
    def a_probe_is_out_only_while_half_open(self) -> None:
        assert self.state.probe is None or self.expected == "half_open"

    @invariant()
    def it_survives_being_written_down(self) -> None:
        assert State.model_validate_json(self.state.model_dump_json()) == self.state


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    ("kind", "status", "counts"),
    [
        ("timeout", None, True),
        ("timeout", 408, True),
        ("connection", None, True),
        ("server_error", 500, True),
        ("server_error", 503, True),
        ("server_error", 529, True),
        ("server_error", 409, False),
        ("rate_limited", 429, False),
        ("invalid_request", 400, False),
        ("unauthorized", 401, False),
        ("not_found", 404, False),
        ("refused", None, False),
        ("invalid_response", None, False),
        ("budget_spent", None, False),
    ],
)
def test_only_what_says_that_the_provider_is_ill_counts(kind: ErrorKind, status: int | None, counts: bool) -> None:
    assert ill(ProviderError(kind, "x", status=status), BreakerPolicy()) == counts


def test_a_rate_limit_counts_by_choice() -> None:
    assert ill(ProviderError("rate_limited", "x", status=429), BreakerPolicy(on_rate_limit=True))
