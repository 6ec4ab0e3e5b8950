import time
from pathlib import Path

import pytest

from continuo.authoring.files import load_pattern, located
from continuo.authoring.library import Library
from continuo.config.defaults import DEFAULTS
from continuo.config.settings import Settings
from continuo.errors import InputError, unknown
from continuo.patterns import Call, Fallback

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

UNKNOWN = """
description: premum
pattern:
  kind: cached
  step:
    {kind: call, model: premum}
  ttl: 1h
  semantic:
    model: embedd
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pattern_file_is_read_with_its_durations(tmp_path: Path) -> None:
    named = load_pattern(write(tmp_path, GOOD))
    assert named.description == "Two tiers."
    assert isinstance(named.pattern, Fallback)
    assert [step.timeout for step in named.pattern.steps if isinstance(step, Call)] == [30]


@pytest.mark.parametrize("path", sorted((DEFAULTS / "patterns").glob("*.yaml")), ids=lambda path: path.stem)
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
        load_pattern(tmp_path / "gone.yaml")


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="unknown pattern 'suport'; did you mean 'support'"):
        Library().named("suport")


CALL = "{kind: call, model: premium}"


@pytest.mark.parametrize(
    ("pattern", "line", "says"),
    [
        (
            "kind: route\nby: complexty\nbranches: {low: CALL}",
            3,
            "pattern.by: unknown kind 'complexty'; did you mean 'c",
        ),
        ("kind: route\nby:\n  kind: complexty\nbranches: {low: CALL}", 4, "pattern.by.kind: unknown kind 'complexty'"),
        (
            "kind: route\nby:\n  words: 3\nbranches: {low: CALL}",
            3,
            "kind: missing; one of complexity, length, keywords",
        ),
        ("kind: route\nby: 3\nbranches: {low: CALL}", 3, "pattern.by: not a mapping"),
        ("kind: route\nby: keywords\nbranches: {low: CALL}", 3, "pattern.by.labels: missing; add it"),
        ("kind: route\nby: complexity\nbranches:\n  low: CALL\n  hihg: CALL", 6, "'hihg'; did you mean 'high'?"),
        ("kind: route\nby: complexity\nbranches:\n  low: CALL", 1, "pattern: the label 'medium' has no branch; add"),
        ("kind: route\nby: complexity\ndefault: hihg\nbranches:\n  high: CALL", 4, "unknown default branch 'hihg'"),
        ("kind: route\nby: {kind: keywords, labels: {a: [b]}}\nbranches:\n  a: CALL", 3, "name a default branch"),
        ("kind: ensemble\nmembers: [CALL, CALL]\ncombine: majorty", 4, "pattern.combine: unknown kind 'majorty'"),
        ("kind: ensemble\nmembers: [CALL, CALL]\ncombine:\n  kind: majority\n  quorum: 3", 6, "pattern: quorum is 3"),
        ("kind: ensemble\nmembers: [CALL, CALL]\ncombine:\n  kind: majority\n  quorom: 2", 6, "did you mean 'quorum'?"),
        ("kind: ensemble\nmembers: [CALL]", 3, "pattern.members: has 1, needs at least 2"),
        ("kind: fan_out\nmerge: colect\nbranches: {a: CALL}", 3, "pattern.merge: unknown kind 'colect'; did you mean"),
        ("kind: fan_out\nmin_successes: 2\nbranches: {a: CALL}", 3, "pattern: min_successes is 2"),
        ("kind: fan_out\nbranches:\n  a: CALL\n  merge: CALL", 5, "pattern.branches.merge: 'merge' names a part"),
        ("kind: fan_out\nbranches:\n  a: CALL\n  a/b: CALL", 5, "pattern.branches.a/b: "),
        ("kind: fan_out\nbranches:\n  a: CALL\n  1: CALL", 5, "pattern.branches.1: not a text; put it in quotes"),
        ("kind: fan_out\nbranches:\n  a: CALL\n  yes: CALL", 5, "pattern.branches.yes: not a text; put it in quotes"),
        ("kind: fan_out\nbranches:\n  a: CALL\n  a: CALL", 5, "'a' stands there twice; keep one"),
        ("kind: fan_out\nbranch_timeout: soon\nbranches: {a: CALL}", 3, "'soon' is not a duration"),
        (
            "kind: fan_out\nbranches:\n  call:\n    kind: call\n    modl: x",
            6,
            "branches.call.modl: no such field; did you",
        ),
        ("kind: pipeline\nsteps:\n- name: a\n  step: CALL\n- name: b\n  prompt: Of {c}\n  step: CALL", 7, "'c'"),
        ("kind: pipeline\nsteps:\n- name: a\n  step: CALL\n- name: a\n  step: CALL", 6, "two steps are called 'a'"),
        ("kind: pipeline\nsteps:\n- name: merge\n  step: CALL", 4, "pattern.steps[0].name: 'merge' names a part"),
        (
            "kind: pipeline\nsteps:\n- name: a\n  stp: CALL",
            5,
            "pattern.steps[0].stp: no such field; did you mean 'step'?",
        ),
        ("kind: saga\nsteps:\n- name: a\n  do: CALL\n- name: a\n  do: CALL", 6, "pattern: two steps are called 'a'"),
        (
            "kind: cached\nstep: CALL\nkey:\n- prompt\n- promt",
            6,
            "pattern.key[1]: unknown key field 'promt'; did you mean",
        ),
        ("kind: cached\nstep: CALL\nkey: prompt", 4, "pattern.key: not a list"),
        ("kind: cached\nstep: CALL\nttl: 1 hour", 4, "pattern.ttl: '1 hour' is not a duration; write a number and a"),
        (
            "kind: cached\nstep: CALL\nsemantic:\n  modl: x",
            5,
            "pattern.semantic.modl: no such field; did you mean 'model'?",
        ),
        ("kind: deadline\nstep: CALL\nlimit: 0s", 4, "pattern.limit: Input should be greater than 0"),
        ("kind: deadline\nstep: CALL", 1, "pattern.limit: missing; add it"),
        ("kind: cascade\nsteps: [CALL]\nthresholds:\n- 0.5\n- 1.5", 6, "pattern.thresholds[1]: "),
        ("kind: split\nvariants:\n  a: CALL", 4, "pattern.variants.a.kind: no such field; known: weight, step"),
        (
            "kind: split\nvariants: {a: {step: CALL}}\nshadow:\n  b: {kind: cal}",
            5,
            "pattern.shadow.b.kind: unknown kind",
        ),
        ("kind: fallback\nsteps: premium", 3, "pattern.steps: not a list"),
        ("kind: fallback\nsteps:\n- premium", 4, "pattern.steps[0]: not a mapping"),
        (
            "kind: fallback\nsteps:\n- &x\n  kind: call\n  model: a\n- <<: *x\n  modl: b",
            8,
            "pattern.steps[1].modl: no such",
        ),
        ("kind: fallback\nsteps:\n- <<:\n    kind: call\n    model: 3", 6, "pattern.steps[0].model: not a text"),
        (
            "kind: fallback\nsteps:\n- <<: [{kind: call}, {model: 3}]\n  timeout: 3s",
            4,
            "pattern.steps[0].model: not a text",
        ),
        ("kind: fallback\nsteps: &s\n- kind: fallback\n  steps: *s", 5, "an alias inside of what it stands"),
        ("kind: call\nmodel: m\nmax_tokens: " + "9" * 5000, 4, "is no int; put it in quotes"),
        ("kind: call\nmodel: 2026-13-45", 3, "'2026-13-45' is no timestamp; put it in quotes"),
        ("kind: call\nmodel: !!bool maybe", 3, "'maybe' is no bool; put it in quotes"),
        ("kind: call\nmodel: m\nmax_tokens: yes", 4, "pattern.max_tokens: Input should be a valid integer"),
        ("kind: call\nmodel: m\ntemperature: yes", 4, "pattern.temperature: Input should be a valid number"),
        ("kind: call\nmodel: m\ntimeout: yes", 4, "pattern.timeout: Input should be a valid number"),
        ("kind: call\nmodel: m\ntimeout: .inf", 4, "pattern.timeout: Input should be"),
        ("kind: split\nvariants: {a: {weight: .inf, step: CALL}}", 3, "pattern.variants.a.weight: Input should be"),
        ("kind: template\ntext: \0", 3, "not YAML: character #x00 is not allowed; remove it"),
    ],
)
def test_each_patterns_mistakes_are_told_where_they_stand(tmp_path: Path, pattern: str, line: int, says: str) -> None:
    text = pattern.replace("CALL", CALL).replace("\n", "\n  ")
    path = write(tmp_path, f"pattern:\n  {text}\ndescription: x\n")
    with pytest.raises(InputError) as raised:
        load_pattern(path)
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "what", "line"), [("premum", "model", 6), ("embedd", "model", 9), ("shopp", "service", None)]
)
def test_an_unknown_model_is_told_with_its_line(tmp_path: Path, name: str, what: str, line: int | None) -> None:
    path = write(tmp_path, UNKNOWN)
    with pytest.raises(InputError) as caught, located(path):
        raise unknown(what, name, ["premium"])
    place = f"{path}:{line}: " if line else ""
    assert str(caught.value).startswith(f"{place}unknown {what} {name!r}; ")


def within_each_other(levels: int) -> str:
    return "{kind: fallback, steps: [" * levels + "{kind: template, text: t}" + "]}" * levels


def doubled(times: int, pair: str) -> str:
    """A list of parts of which each stands for two of the one before."""
    doubles = "".join(f"\n  - &a{number} {pair.format(number - 1)}" for number in range(1, times + 1))
    return f"\n  kind: fallback\n  steps:\n  - &a0 {{kind: template, text: t}}{doubles}"


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (within_each_other(300), "more than 200 lists and mappings inside each other"),
        (within_each_other(10_000), "more than 200 lists and mappings inside each other"),
        (doubled(21, "{{kind: fallback, steps: [*a{0}, *a{0}]}}"), "more than 100,000 names and values"),
        (doubled(21, "{{<<: [*a{0}, *a{0}]}}"), "more than 100,000 names and values"),
        (doubled(5_000, "{{kind: deadline, step: *a{0}}}"), "more than 200 lists and mappings inside each other"),
        ("{kind: template, text: " + "t" * 3_000_000 + "}", "more than 1,000,000 bytes"),
    ],
    ids=["deep", "deeper", "doubled", "merged", "chained", "long"],
)
def test_a_file_that_would_grow_without_end_is_refused_at_once(tmp_path: Path, pattern: str, says: str) -> None:
    path = write(tmp_path, f"description: x\npattern: {pattern}\n")
    started = time.process_time()
    with pytest.raises(InputError, match=says) as raised:
        load_pattern(path)
    assert time.process_time() - started < 5
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_alias_stands_for_what_it_names(tmp_path: Path) -> None:
    steps = "[&a {kind: call, model: mini}, *a, {<<: *a, timeout: 3s}]"
    named = load_pattern(write(tmp_path, f"description: x\npattern: {{kind: fallback, steps: {steps}}}\n"))
    call = Call(model="mini")
    assert named.pattern == Fallback(steps=(call, call, Call(model="mini", timeout=3)))


def test_a_folder_of_patterns_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="set CONTINUO_PATTERNS"):
        Library(Settings(patterns=tmp_path / "gone")).named("support")
