import pytest
from temporalio.client import Client

from continuo.door.runs import result
from continuo.jobs import Failure
from continuo.patterns import Call, Pipeline, PipelineStep, Retry, Template
from continuo.testing.processes import Control, begin, failure, job, outcome, until, until_cancelled

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)


def written(name: str, model: str, prompt: str | None = None) -> PipelineStep:
    return PipelineStep(name=name, prompt=prompt, step=Call(model=model, retry=ONCE))


DRAFT = Pipeline(
    steps=(
        written("outline", "mini"),
        written("draft", "mid"),
        written("edit", "premium", 'Asked: {input}. Outline: {outline}. Draft: {previous}. JSON like {"a": 1}.'),
    )
)


async def prompts(simulator: Control) -> list[str]:
    """The last turn of every call, which each protocol shapes in its own way."""
    found = []
    for body in [call["body"] for call in await simulator.calls()]:
        turn = body["contents"][-1]["parts"] if "contents" in body else body["messages"][-1]["content"]
        found.append(turn if isinstance(turn, str) else turn[0]["text"])
    return found


async def test_each_step_is_fed_those_before_it_by_its_template(client: Client, simulator: Control) -> None:
    for model, text in {"sim-mini": "1. a {curly}", "sim-mid": "A text.", "sim-premium": "Better."}.items():
        await simulator.behave(model, text=text)
    found = await outcome(client, job(DRAFT, "Write!"))
    assert await prompts(simulator) == [
        "Write!",
        "1. a {curly}",
        'Asked: Write!. Outline: 1. a {curly}. Draft: A text.. JSON like {"a": 1}.',
    ]
    assert found.text == "Better."
    assert found.outputs == {"outline": "1. a {curly}", "draft": "A text.", "edit": "Better."}
    assert [call.path for call in found.calls] == ["outline", "draft", "edit"]


async def test_a_failed_step_names_itself_and_what_the_earlier_ones_produced_is_kept(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="1. a", tokens={"input": 10, "output": 10})
    await simulator.behave("sim-mid", status=400, error_message="nonsense")
    found = await failure(client, job(DRAFT))
    assert found.type == "PipelineFailed"
    assert found.message == "step 'draft' failed: sim-openai: 400 nonsense"
    assert found.outputs == {"outline": "1. a"}
    assert [(call.path, call.status) for call in found.calls] == [("outline", "ok"), ("draft", "failed")]
    assert found.calls[0].cost_usd == pytest.approx(20 * 0.5 / 1e6)


async def test_cancelling_runs_no_later_step(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", latency=60)
    handle = await begin(client, job(DRAFT))
    await until(lambda: simulator.calls("sim-mid"))
    await until_cancelled(handle)
    assert len(await simulator.calls()) == 2


async def test_a_cancelled_run_still_tells_what_it_had_spent(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", tokens={"input": 100, "output": 100})
    await simulator.behave("sim-mid", latency=60)
    handle = await begin(client, job(DRAFT))
    await until(lambda: simulator.calls("sim-mid"))
    await handle.cancel()
    found = await result(handle)
    assert isinstance(found, Failure)
    assert [(call.path, call.status) for call in found.calls] == [("outline", "ok"), ("draft", "cancelled")]
    assert found.calls[0].cost_usd == pytest.approx(200 * 0.5 / 1e6)


async def test_steps_that_are_composed_feed_each_other(client: Client, simulator: Control) -> None:
    found = await outcome(client, job(Template(text="first") >> Call(model="mid")))
    assert found.outputs["step1"] == "first"
    assert await prompts(simulator) == ["first"]
