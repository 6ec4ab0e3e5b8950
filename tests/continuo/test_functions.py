"""The user's own functions: found where they may be called from, and given their input."""

import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.authoring.files import load_pattern
from continuo.authoring.functions import Function, Functions
from continuo.authoring.to_yaml import to_yaml
from continuo.config.code import Code, callable_modules
from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.patterns import Python

OWN = "tests.support.own_code"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def own(name: str) -> Function:
    return Functions([OWN]).named(f"{OWN}:{name}")


def test_an_installed_package_names_its_modules_by_an_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"installed_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text("def double(number: int) -> int:\n    return 2 * number\n", encoding="utf-8")
    told = tmp_path / f"{name}-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n", encoding="utf-8")
    (told / "entry_points.txt").write_text(f"[continuo.steps]\nmine = {name}\n", encoding="utf-8")
    assert name not in callable_modules(Code())
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    function = Functions(callable_modules(Code())).named(f"{name}:double")
    assert function.call(21) == 42


def test_a_project_names_its_modules_in_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTINUO_CODE", raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "continuo.toml"
    file.write_text('[code]\nmodules = ["mine", "shop.refunds"]\n', encoding="utf-8")
    assert Settings().code.modules == ("mine", "shop.refunds")
    file.write_text('[code]\nmodules = ["mine", "os"]\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"continuo.toml: code.modules.1: 'os' belongs to Python itself"):
        Settings()
    file.write_text('[code]\nmodule = ["mine"]\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"continuo.toml: code.module: Extra inputs are not permitted"):
        Settings()


def test_a_module_beside_a_named_one_is_not_named() -> None:
    with pytest.raises(InputError, match="is of no module that patterns may call"):
        Functions([OWN]).named(f"{OWN}s:shout")


@given(JSON)
def test_a_text_that_is_one_placeholder_becomes_the_value_and_another_holds_its_text(value: Any) -> None:
    function = own("anything")
    for template, expected in (("{x}", value), ("<{x}>", f"<{value}>" if isinstance(value, str) else None)):
        _, named = function.arguments(Python(function=function.name, input={"value": template}), {"x": value})
        assert named["value"] == expected or (expected is None and isinstance(named["value"], str))


@given(st.text(max_size=30))
def test_what_looks_like_no_placeholder_stays_as_it_is(text: str) -> None:
    function = own("shout")
    step = Python(function=function.name, input={"text": f"{{ {text.replace('{', '')}"})
    assert function.arguments(step, {})[1] == step.input


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("function: mine.f", "my.yaml:4: pattern.function: String should match pattern"),
        ("function: 'mine:f'\n  input: {amount: 3}", "my.yaml:5: pattern.input.amount: not a text; put it in quotes"),
        ("function: 'mine:f'\n  inputs: {}", "my.yaml:5: pattern.inputs: no such field; did you mean 'input'?"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(tmp_path: Path, lines: str, says: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"description: d\npattern:\n  kind: python\n  {lines}\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load_pattern(path)
    assert says in str(raised.value)


def test_a_wrong_judge_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    step = "{kind: template, text: a}"
    text = f"description: d\npattern:\n  kind: cascade\n  steps: [{step}, {step}]\n  judge: {{kind: cal, model: m}}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"my.yaml:5: pattern.judge.kind: unknown kind 'cal'; did you mean 'call'"):
        load_pattern(path)


def test_it_is_written_as_a_person_would() -> None:
    step = Python(function="mine:f", input={"a": "{b}"}, timeout=20)
    assert to_yaml(step) == "kind: python\nfunction: mine:f\ninput: {a: '{b}'}\ntimeout: 20s\n"
