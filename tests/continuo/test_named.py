from pathlib import Path

import pytest

from continuo.errors import InputError
from continuo.named import find_pattern, load_pattern
from continuo.settings import ROOT

GOOD = """\
description: Two tiers.
pattern:
  kind: fallback
  steps:
    - kind: call
      model: premium
      timeout: 30s
    - {kind: template, text: Sorry.}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pattern_file_is_read_with_its_durations(tmp_path: Path) -> None:
    named = load_pattern(write(tmp_path, GOOD))
    assert named.description == "Two tiers."
    assert named.pattern.steps[0].timeout == 30  # type: ignore[union-attr]


@pytest.mark.parametrize("path", sorted((ROOT / "patterns").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_pattern_that_ships_is_valid(path: Path) -> None:
    assert load_pattern(path).description.endswith(".")


@pytest.mark.parametrize(
    ("replace", "by", "line", "says"),
    [
        ("kind: fallback", "kind: falback", 3, "pattern.kind: unknown kind 'falback'; did you mean 'fallback'?"),
        ("timeout: 30s", "timout: 30s", 7, "pattern.steps[0].timout: no such field; did you mean 'timeout'?"),
        ("timeout: 30s", "timeout: soon", 7, "'soon' is not a duration"),
        ("      model: premium\n", "", 5, "pattern.steps[0].model: missing"),
        ("    - kind: call\n      model", "    - model", 5, "pattern.steps[0].kind: missing"),
        ("description: Two tiers.\n", "", 1, "description: missing"),
        ("kind: template, text: Sorry.", "kind: template, text: ''", 8, "pattern.steps[1].text:"),
        ("    - kind: call", "   - kind: call\n  - x", 6, "not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_field_and_the_fix(
    tmp_path: Path, replace: str, by: str, line: int, says: str
) -> None:
    assert replace in GOOD
    path = write(tmp_path, GOOD.replace(replace, by))
    with pytest.raises(InputError) as raised:
        load_pattern(path)
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "just text", "- a\n- list\n"])
def test_a_file_that_holds_no_pattern_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml:1: "):
        load_pattern(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*gone\.yaml"):
        find_pattern(str(tmp_path / "gone.yaml"), tmp_path)


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="unknown pattern 'suport'; did you mean 'support'"):
        find_pattern("suport", ROOT / "patterns")
