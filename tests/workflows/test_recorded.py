"""What a run has decided is in its history: a release with other rules replays it to the same decision."""

from typing import Any

import pytest
from temporalio.client import Client

from continuo.door.runs import progress, result
from continuo.patterns import Call, Cascade, Ensemble, Route, Split, Step, Template, Variant
from continuo.patterns.choices import Complexity, Majority
from continuo.testing.processes import begin, job

pytestmark = pytest.mark.usefixtures("worker", "simulator")

ONE, TWO, THREE = (Template(text=text) for text in ("one", "two", "three"))
DECIDE: dict[str, tuple[Step, str, Any]] = {
    "a label": (
        Route(by=Complexity(), branches={"low": ONE, "medium": ONE}, default="low"),
        "continuo.decisions.classify._REASONING",
        (),
    ),
    "a confidence": (Cascade(steps=(ONE, TWO)), "continuo.decisions.confidence.UNKNOWN", 0.99),
    "a share": (
        Split(variants={"a": Variant(step=ONE), "b": Variant(step=TWO, weight=1e-9)}),
        "continuo.workflows.split.variant_at",
        lambda weights, point: "b",
    ),
    "a vote": (
        Ensemble(members=(ONE, ONE, Call(model="mini")), combine=Majority(), inline=True, otherwise=THREE),
        "continuo.decisions.vote.label",
        lambda text, field: object(),
    ),
}


@pytest.mark.parametrize(("step", "rule", "other"), DECIDE.values(), ids=DECIDE)
async def test_other_rules_change_new_runs_and_not_those_that_have_decided(
    client: Client, monkeypatch: pytest.MonkeyPatch, step: Step, rule: str, other: object
) -> None:
    handle = await begin(client, job(step, "Explain this."))
    await result(handle)
    # Asked of a run that has ended, a worker replays it.
    as_it_went = await progress(handle)
    assert as_it_went.steps
    monkeypatch.setattr(rule, other)
    assert await progress(handle) == as_it_went
    again = await begin(client, job(step, "Explain this."))
    await result(again)
    assert [step.path for step in (await progress(again)).steps] != [step.path for step in as_it_went.steps]
