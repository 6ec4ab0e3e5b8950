import pytest
from temporalio.client import Client

from continuo.jobs import Job
from continuo.patterns import Call, Retry, Route, Step, Template
from continuo.patterns.choices import Classifier, Complexity, Intent, Keywords, Length, Preference
from continuo.testing.processes import Control, failure, job, outcome

pytestmark = pytest.mark.usefixtures("worker")


def routed(by: Classifier, *labels: str, default: str | None = None) -> Route:
    branches: dict[str, Step] = {label: Template(text=label) for label in labels}
    return Route(by=by, branches=branches, default=default)


@pytest.mark.parametrize(
    ("step", "prompt", "branch"),
    [
        (routed(Complexity(), "low", "medium", "high"), "Hello.", "low"),
        (routed(Complexity(), "low", "medium", "high"), "Explain this.", "medium"),
        (routed(Complexity(), "low", "medium", "high"), "Why? Explain the python function, compare.", "high"),
        (routed(Complexity(), "low", default="low"), "Why? Explain the python function, compare.", "low"),
        (routed(Length(), "local", "mini", "premium"), "x" * 99, "local"),
        (routed(Length(), "local", "mini", "premium"), "x" * 100, "mini"),
        (routed(Length(), "local", "mini", "premium"), "x" * 500, "premium"),
        (routed(Keywords(labels={"faq": ("hours", "open")}), "faq", "rest", default="rest"), "Are you OPEN?", "faq"),
        (routed(Keywords(labels={"faq": ("hours", "open")}), "faq", "rest", default="rest"), "Reopened", "rest"),
    ],
)
async def test_the_label_picks_the_branch(client: Client, step: Route, prompt: str, branch: str) -> None:
    found = await outcome(client, job(step, prompt))
    assert (found.text, found.branch) == (branch, branch)
    assert [point.name.split(", ")[1] for point in found.checkpoints] == [f"branch {branch}"]


def preferring(step: Step, prefer: str | None) -> Job:
    asked = job(step)
    return asked.model_copy(update={"context": asked.context.model_copy(update={"prefer": prefer})})


@pytest.mark.parametrize(("prefer", "branch"), [("speed", "speed"), ("quality", "quality"), (None, "cost")])
async def test_a_preference_of_the_job_picks_the_branch(client: Client, prefer: str | None, branch: str) -> None:
    step = routed(Preference(), "cost", "speed", "quality")
    assert (await outcome(client, preferring(step, prefer))).text == branch


def by_intent(*labels: str) -> Route:
    return routed(Intent(step=Call(model="mini", retry=Retry(attempts=1))), *labels, default=labels[-1])


@pytest.mark.parametrize(("answer", "branch"), [("Refund.", "refund"), ("I cannot say", "other")])
async def test_a_model_names_the_branch_or_the_default_takes_it(
    client: Client, simulator: Control, answer: str, branch: str
) -> None:
    await simulator.behave("sim-mini", text=answer, tokens={"input": 100, "output": 2})
    found = await outcome(client, job(by_intent("refund", "delivery", "other"), "I want my money back"))
    assert found.text == branch
    assert found.calls[0].path == "classify"
    assert found.cost_usd == pytest.approx(102 * 0.5 / 1e6)
    [call] = await simulator.calls()
    assert "refund, delivery, other" in call["body"]["systemInstruction"]["parts"][0]["text"]


async def test_a_classifier_that_is_down_costs_no_answer(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mini", status=503)
    found = await outcome(client, job(by_intent("refund", "other")))
    assert found.text == "other"
    assert found.calls[0].status == "failed"


async def test_the_branch_that_fails_fails_the_route(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=400, error_message="nonsense")
    step = Route(by=Length(), branches={"local": Call(model="premium")}, default="local")
    found = await failure(client, job(step))
    assert (found.type, found.calls[0].path) == ("invalid_request", "local")
