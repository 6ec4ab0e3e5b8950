"""Patterns that name others."""

from pathlib import Path

import pytest

from continuo.authoring.library import Library
from continuo.config import followed
from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.patterns import Agent, Call, Fallback, FanOut, Named, Template
from continuo.patterns.walk import specs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(followed, "EVERY", 0.0)
    return tmp_path


@pytest.fixture
def library(folder: Path) -> Library:
    return Library(Settings(patterns=folder, simulated=True), {"CONTINUO_SIM_URL": "http://127.0.0.1:9"})


def write(folder: Path, name: str, pattern: str) -> None:
    (folder / f"{name}.yaml").write_text(f"description: a test\npattern:\n  {pattern}\n", encoding="utf-8")


def named(pattern: str) -> str:
    return f"{{kind: named, pattern: {pattern}}}"


def test_a_named_pattern_stands_wherever_a_step_does_resolved_and_as_its_file_is(
    folder: Path, library: Library
) -> None:
    write(folder, "inner", "{kind: call, model: mini}")
    write(folder, "middle", f"{{kind: fallback, steps: [{named('inner')}, {{kind: template, text: Sorry.}}]}}")
    tool = "{step: {kind: named, pattern: middle, isolate: true}}"
    write(folder, "outer", f"{{kind: agent, model: mini, tools: {{ask: {tool}}}}}")
    model = Call(model="sim-mini")
    whole = library.step("outer")
    assert isinstance(whole, Agent)
    assert whole.tools["ask"].step == Fallback(steps=(model, Template(text="Sorry.")), isolate=True)
    assert library.step(Named(pattern="inner")) == model
    write(folder, "inner", "{kind: template, text: Changed.}")
    changed = library.step("outer")
    assert isinstance(changed, Agent)
    assert changed.tools["ask"].step.nested()["tier1"] == Template(text="Changed.")


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        ({"a": named("nowhere")}, r"a\.yaml:3: unknown pattern 'nowhere'"),
        ({"a": named("./a.yaml")}, r"a\.yaml:3: unknown pattern './a\.yaml'"),
        ({"a": named("bee"), "bee": named("nowhere")}, r"bee\.yaml:3: unknown pattern 'nowhere'"),
        ({"a": named("bee"), "bee": "{kind: call, model: nomodel}"}, r"bee\.yaml:3: unknown model 'nomodel'"),
        ({"a": named("a")}, r"a\.yaml:3: pattern 'a' would hold itself \(a -> a\)"),
        (
            {"a": named("bee"), "bee": named("a")},
            r"pattern '(a|bee)' would hold itself \((a|bee) -> (a|bee) -> (a|bee)\)",
        ),
        ({"a": "{kind: named, pattern: ''}"}, r"a\.yaml:3: pattern\.pattern: String should have at least 1"),
    ],
)
def test_a_mistake_names_the_file_that_makes_it(
    folder: Path, library: Library, patterns: dict[str, str], says: str
) -> None:
    for name, pattern in patterns.items():
        write(folder, name, pattern)
    with pytest.raises(InputError, match=says):
        library.step("a")


def test_what_holds_a_named_pattern_has_its_rules_for_it(folder: Path, library: Library) -> None:
    write(folder, "inner", "{kind: call, model: mini}")
    write(folder, "a", f"{{kind: agent, model: mini, tools: {{t: {{step: {named('inner')}, idempotent: false}}}}}}")
    with pytest.raises(InputError, match=r"with the patterns that it names: tools\.t: idempotent is about one effect"):
        library.step("a")


def test_no_chain_of_names_is_too_long_or_too_wide_to_be_refused(folder: Path, library: Library) -> None:
    write(folder, "d0", "{kind: template, text: x}")
    write(folder, "w0", "{kind: template, text: x}")
    for level in range(1, 60):
        write(folder, f"d{level}", f"{{kind: cached, ttl: 60, step: {named(f'd{level - 1}')}}}")
        inner = named(f"w{level - 1}")
        write(folder, f"w{level}", f"{{kind: fan_out, branches: {{a: {inner}, b: {inner}, c: {inner}}}}}")
    assert len([*specs(library.step("d49"))]) == 50
    with pytest.raises(InputError, match="more than 50 steps inside each other"):
        library.step("d59")
    with pytest.raises(InputError, match="more than 10,000 steps"):
        library.step("w59")
    assert isinstance(library.step("w3"), FanOut)
