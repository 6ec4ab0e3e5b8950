"""What is composed in Python is written as YAML, and read back as the same."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from continuo.authoring.files import NamedPattern, load_pattern
from continuo.authoring.to_yaml import to_yaml
from continuo.config.defaults import DEFAULTS
from continuo.data import duration, seconds
from continuo.patterns import (
    Cached,
    Call,
    Deadline,
    Ensemble,
    FanOut,
    Pipeline,
    PipelineStep,
    Retry,
    Route,
    Step,
    Template,
)
from continuo.patterns.choices import Complexity, Majority
from tests.support.trees import trees

A, B, C = (Call(model=model) for model in "abc")
STEP: TypeAdapter[Step] = TypeAdapter(Step)


def read(text: str) -> Step:
    return STEP.validate_python(yaml.safe_load(text))


@given(trees(["a", "b"], depth=4))
def test_every_pattern_reads_back_as_it_was(step: Step) -> None:
    assert read(to_yaml(step)) == step


@given(st.text(min_size=1), st.text())
def test_every_text_reads_back_as_it_was(text: str, description: str) -> None:
    named = NamedPattern(description=description, pattern=Template(text=text))
    assert NamedPattern.model_validate(yaml.safe_load(to_yaml(named))) == named


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=True))
def test_every_duration_reads_back_as_it_was(value: float) -> None:
    assert seconds(duration(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "500ms"), (30, "30s"), (90, "90s"), (120, "2m"), (3600, "1h"), (86400, "1d"), (0.0005, 0.0005)],
)
def test_a_duration_has_the_largest_unit_that_is_exact(value: float, text: str | float) -> None:
    assert duration(value) == text


@pytest.mark.parametrize("path", sorted((DEFAULTS / "patterns").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_pattern_that_ships_reads_back_as_it_was(path: Path, tmp_path: Path) -> None:
    named = load_pattern(path)
    copy = tmp_path / path.name
    copy.write_text(to_yaml(named), encoding="utf-8")
    assert load_pattern(copy) == named


def test_it_is_written_as_a_person_would() -> None:
    branches: dict[str, Step] = {
        "low": A,
        "medium": Call(model="b", timeout=30, retry=Retry(attempts=2), system="Be brief.\nBe kind.\n"),
        "high": Deadline(C, limit=0.5),
    }
    named = NamedPattern(description="Mine.", pattern=Cached(Route(by=Complexity(), branches=branches), ttl=86400))
    assert to_yaml(named) == (
        "description: Mine.\n"
        "pattern:\n"
        "  kind: cached\n"
        "  step:\n"
        "    kind: route\n"
        "    by: complexity\n"
        "    branches:\n"
        "      low: {kind: call, model: a}\n"
        "      medium:\n"
        "        kind: call\n"
        "        model: b\n"
        "        system: |\n"
        "          Be brief.\n"
        "          Be kind.\n"
        "        timeout: 30s\n"
        "        retry: {attempts: 2}\n"
        "      high:\n"
        "        kind: deadline\n"
        "        step: {kind: call, model: c}\n"
        "        limit: 500ms\n"
        "  ttl: 1d\n"
    )


def test_branches_followed_by_a_vote_are_an_ensemble() -> None:
    step = (A | B | C) >> Majority(quorum=2)
    assert step == Ensemble(members=(A, B, C), combine=Majority(quorum=2))
    assert read(to_yaml(step)) == step


def test_one_step_fed_into_another_is_a_pipeline() -> None:
    step = A >> B >> C
    assert isinstance(step, Pipeline)
    assert list(step.nested().values()) == [A, B, C]
    assert read(to_yaml(step)) == step


def test_branches_may_be_fed_into_a_step() -> None:
    step = (A | B) >> C
    assert isinstance(step, Pipeline)
    assert [type(one) for one in step.nested().values()] == [FanOut, Call]


def test_only_branches_can_be_combined() -> None:
    with pytest.raises(TypeError, match=r"Majority combines what `\|` joins; write \(a \| b\) >> Majority\(\)"):
        A >> Majority()


def test_what_has_names_or_settings_of_its_own_is_composed_as_a_whole() -> None:
    named = FanOut(branches={"pros": A, "cons": B}, min_successes=1)
    assert list((named | C).branches.values()) == [named, C]
    with pytest.raises(TypeError, match=r"combines what `\|` joins"):
        named >> Majority()
    prompted = Pipeline(steps=(PipelineStep(name="draft", step=A), PipelineStep(name="edit", step=B)))
    composed = prompted >> C
    assert isinstance(composed, Pipeline)
    assert [step.step for step in composed.steps] == [prompted, C]
    assert (
        Pipeline(steps=tuple(PipelineStep(name=f"step{n}", step=step) for n, step in enumerate((A, B, C), 1)))
        == A >> B >> C
    )
