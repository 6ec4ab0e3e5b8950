"""A model replaced in a pattern's file."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.authoring.files import NamedPattern
from continuo.authoring.replacing import applied, by_other, shadowed, with_replacement, with_shadow
from continuo.authoring.to_yaml import to_yaml
from continuo.errors import InputError
from continuo.patterns import Split, Step
from tests.support.trees import trees

BLOCK = """\
# Ours.
description: Answer.
pattern:  # what answers
  kind: cascade
  # The cheap one first.
  steps:
    - kind: call
      model: old  # since March
      system: |
        Be brief.

          Indented.
    - {kind: call, model: "mid"}
# The end.
"""
SHADOWED = """\
# Ours.
description: Answer.
pattern:  # what answers
  kind: split
  variants:
    now:
      step:
        kind: cascade
        # The cheap one first.
        steps:
          - kind: call
            model: old  # since March
            system: |
              Be brief.

                Indented.
          - {kind: call, model: "mid"}
        # The end.
  shadow:
    new-1-0:
      kind: cascade
      # The cheap one first.
      steps:
        - kind: call
          model: new-1.0  # since March
          system: |
            Be brief.

              Indented.
        - {kind: call, model: "mid"}
      # The end.
"""
SPLIT = """\
description: Answer.
pattern:
  kind: split
  variants:
    a: {step: {kind: call, model: mid}}
    b:
      weight: 2  # more
      step: {kind: call, model: old}
  sticky: session
"""


def parsed(text: str) -> Step:
    return NamedPattern.model_validate(yaml.safe_load(text)).pattern


def test_a_shadow_is_written_beside_what_answers_and_taken_out_with_the_model() -> None:
    assert with_shadow(BLOCK, "old", "new-1.0") == SHADOWED
    wanted = BLOCK.replace("model: old", "model: new-1.0").replace("# The end.", "  # The end.")
    assert with_replacement(SHADOWED, "old", "new-1.0") == wanted


def test_a_split_gets_one_shadow_more() -> None:
    after = with_shadow(SPLIT, "old", "new")
    assert after == SPLIT + "  shadow:\n    new:\n      {kind: call, model: new}\n"
    both = with_shadow(after, "mid", "other")
    assert both.endswith("    new:\n      {kind: call, model: new}\n    other:\n      {kind: call, model: other}\n")
    assert with_replacement(both, "mid", "other") == after.replace("mid", "other")
    assert with_replacement(after, "old", "new") == SPLIT.replace("old", "new")


@settings(max_examples=15)
@given(trees(["old", "mid"], depth=2), st.sampled_from(["new", "gpt-6.1-x", "3.5"]))
def test_in_whatever_pattern_it_is_tried_and_taken(step: Step, other: str) -> None:
    text = to_yaml(NamedPattern(description="d", pattern=step))
    try:
        shadow = with_shadow(text, "old", other)
    except InputError:
        # It does not ask the model, or is written on one line.
        assert isinstance(step, Split)
        return
    assert parsed(shadow) == shadowed(step, "old", other)
    assert parsed(with_replacement(shadow, "old", other)) == applied(step, "old", other) == by_other(step, "old", other)


@pytest.mark.parametrize(
    "text",
    [
        "description: d\npattern: {kind: split, variants: {a: {step: {kind: call, model: old}}}}\n",
        "description: d\npattern: {kind: split, variants: {a: {step: {kind: call, model: other}}}}\n",
        "description: d\npattern: [\n",
    ],
)
def test_what_cannot_be_changed_is_left_to_a_person(text: str) -> None:
    with pytest.raises(InputError, match="change it by hand"):
        with_shadow(text, "old", "new")


def test_a_shadow_is_not_written_twice() -> None:
    with pytest.raises(InputError, match="it has a shadow 'new-1-0' already"):
        with_shadow(SHADOWED, "old", "new-1.0")
