"""Any tree of patterns that the specs accept comes to an end whose account adds up and whose history replays."""

import re
from collections.abc import Callable, Mapping
from math import fsum

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from temporalio.client import Client

from continuo.door.runs import result
from continuo.jobs import CallRecord, Failure, Outcome
from continuo.messages import Usage
from continuo.patterns import Call, Orchestrate, Step
from continuo.patterns.walk import specs
from continuo.testing.processes import Control, begin, job, replay
from tests.support.trees import trees

pytestmark = pytest.mark.usefixtures("worker")

TYPED = {
    "AutoFailed", "CascadeExhausted", "DeadlineExceeded", "FallbackExhausted", "FanOutFailed", "GuardFailed",
    "NoConsensus", "OrchestrateFailed", "PipelineFailed", "SagaFailed", "Undecided", "invalid_request", "server_error",
}  # fmt: skip

COMPOSED = re.compile(r"(^|\.)(composed\.|composed$|repair$)")
"""The paths of calls that are known when a pattern has been composed, and not before."""


@pytest.fixture
async def moody(simulator: Control) -> Control:
    """Models that answer, that are unsure, that fail now and then, and that always fail."""
    await simulator.behave("sim-premium", confidence=0.9, text="42")
    await simulator.behave("sim-mid", error_rate=0.3, seed=1)
    await simulator.behave("sim-mini", confidence=0.4, text="41")
    await simulator.behave("sim-free", status=400)
    return simulator


ON_A_SERVER = settings(
    max_examples=2,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANY = trees(["premium", "mid", "mini", "sim-free"], depth=4, local=True)


@ON_A_SERVER
@given(step=ANY)
async def test_every_tree_ends_in_an_outcome_or_a_typed_error_that_adds_up_and_replays(
    client: Client, moody: Control, step: Step
) -> None:
    await check_tree(client, moody, step)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@settings(ON_A_SERVER, max_examples=15)
@given(step=ANY)
async def test_so_do_many_trees(client: Client, moody: Control, step: Step) -> None:
    await check_tree(client, moody, step)


async def check_tree(client: Client, moody: Control, step: Step) -> None:
    handle = await begin(client, job(step, f"How many? {len(await moody.calls())}"))
    found = await result(handle)
    assert isinstance(found, Outcome) or found.type in TYPED
    check_account(found, step)
    await replay(client, handle.id)


def check_account(found: Outcome | Failure, step: Step) -> None:
    """The calls are those of the tree, each in one place, and what they cost and used is what the outcome says."""
    leaves = set(call_paths(step, "", run_below))
    undone = [call for call in found.calls if call.path.endswith(".undo")]
    once = [call.path for call in found.calls if call not in undone]
    assert len(once) == len(set(once))
    assert {call.path for call in found.calls if not COMPOSED.search(call.path)} <= leaves
    # A call that was cancelled as its answer came has used tokens too; whatever did names who is paid for them.
    assert all(call.provider for call in found.calls if call.usage != Usage())
    if isinstance(found, Outcome) and found.calls:
        assert found.usage == sum((call.usage for call in found.calls), Usage())
        assert found.cost_usd == pytest.approx(fsum(cost(call) for call in found.calls))


def cost(call: CallRecord) -> float:
    return call.cost_usd or 0.0


def call_paths(step: Step, path: str, below: Callable[[Step], Mapping[str, Step]]) -> list[str]:
    nested = [found for name, inner in below(step).items() for found in call_paths(inner, f"{path}.{name}", below)]
    return [path.removeprefix("."), *nested] if isinstance(step, Call) else nested


def run_below(step: Step) -> dict[str, Step]:
    """What is nested in the step, by every name that it may run under."""
    nested = dict(step.nested())
    if not isinstance(step, Orchestrate):
        return nested
    checks = {f"validate{n}": step.validator for n in range(1, 4) if step.validator}
    parts = {**checks, **{name: inner for name, inner in nested.items() if name.startswith("executor")}}
    subtasks = {f"subtask{n}.{name}": inner for n in (1, 2) for name, inner in parts.items()}
    return {**nested, **checks, **subtasks, **({"repair": step.planner} if step.planner else {})}


@settings(max_examples=200)
@given(trees(["premium"], depth=4))
def test_names_give_every_step_a_path_of_its_own(step: Step) -> None:
    paths = call_paths(step, "", lambda step: step.nested())
    assert len(paths) == len(set(paths)) == sum(isinstance(spec, Call) for spec in specs(step))
