"""A pattern drawn as a tree, as a flowchart and as JSON, without running anything."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.authoring.outline import Node, outline
from continuo.config.catalog import Catalog, load_catalog
from continuo.config.defaults import DEFAULTS
from continuo.errors import InputError
from continuo.patterns import (
    Cached,
    Call,
    Cascade,
    Deadline,
    Ensemble,
    FanOut,
    Python,
    Split,
    Step,
    Template,
    Variant,
)
from continuo.patterns.choices import Majority, Semantic, WeightedVote
from continuo.patterns.walk import specs
from continuo.starters.commands.explain import explain
from continuo.starters.console.mermaid import escaped, flowchart
from tests.support.trees import trees

CATALOG = load_catalog(DEFAULTS / "catalog.toml")
SIM = Call(model="sim-mini")


@pytest.fixture(autouse=True)
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases lead to simulated models; nothing listens there, for nothing is asked."""
    monkeypatch.setenv("CONTINUO_SIMULATED", "1")
    monkeypatch.setenv("CONTINUO_SIM_URL", "http://127.0.0.1:1")


def drawn(step: Step, catalog: Catalog = CATALOG) -> Node:
    return outline(step, "mine", catalog, input_tokens=1000, output_tokens=500)


def test_a_pattern_is_drawn_with_its_models_prices_and_worst_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("support") == 0
    found = capsys.readouterr().out
    assert found.startswith("support: fallback  [6 calls, $0.067500, 6 min 7 s]\n")
    assert "├── tier1: call  sim-premium ($10 in, $10 out per 1 M tokens), 3 x 1m\n" in found
    assert "└── tier3: template  " in found
    assert found.endswith("At worst: 6 calls, $0.067500, 6 min 7 s.\n")


def test_more_tokens_cost_more(capsys: pytest.CaptureFixture[str]) -> None:
    explain("answer", input_tokens=1_000_000, output_tokens=0)
    assert "At worst: 3 calls, $30.00" in capsys.readouterr().out


def test_a_pattern_that_acts_on_services_is_drawn_with_its_undos(capsys: pytest.CaptureFixture[str]) -> None:
    explain("order")
    found = capsys.readouterr().out
    assert "reserve inventory: http  PUT inventory/reservations/{saga}, 3 x 10s" in found
    assert "At worst: 0 calls, $0.00" in found
    assert found.index("create shipment.undo") < found.index("reserve inventory.undo")


def test_a_model_alone_is_a_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    explain("model:mini")
    assert capsys.readouterr().out.startswith("model:mini: call  sim-mini ($")


@pytest.mark.parametrize("path", sorted((DEFAULTS / "patterns").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_pattern_that_ships_is_explained(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(str(path), json=True) == 0
    assert json.loads(capsys.readouterr().out)["worst"]["cost_usd"] is not None


def test_json_is_the_tree_with_the_figures_of_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    explain("support", json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["kind"], found["worst"]["calls"]) == ("support", "fallback", 6)
    assert [below["name"] for below in found["below"]] == ["tier1", "tier2", "tier3"]
    assert found["below"][2]["worst"] == {"calls": 0, "cost_usd": 0.0, "seconds": 0.0}


@pytest.mark.parametrize(
    ("step", "about"),
    [
        (Cascade(steps=(SIM, SIM)), "confidence 0.85, 0.8"),
        (FanOut(branches={"a": SIM, "b": SIM}, min_successes=1, branch_timeout=30), "1 of 2 must answer, 30s a branch"),
        (Ensemble(members=(SIM, SIM, SIM), combine=Majority()), "majority, quorum 2 of 3"),
        (Ensemble(members=(SIM, SIM), combine=WeightedVote(weights=(1, 2.5))), "weighted_vote, weights 1, 2.5"),
        (
            Cached(SIM, ttl=300, key=("prompt",), semantic=Semantic(model="e")),
            "ttl 5m, key prompt, like by e from 0.92",
        ),
        (Deadline(SIM, limit=0.5), "limit 500ms"),
        (Python(function="mine.refunds:charge", timeout=20), "mine.refunds:charge, 3 x 20s"),
        (Split(variants={"a": Variant(weight=3, step=SIM), "b": Variant(step=SIM)}), "a 75%, b 25%"),
        (Template(text="word\n" * 20), '"word word word word word word word word…"'),
        (Call(model="nobody"), "nobody (price unknown), 3 x 2m"),
        (Deadline(SIM, limit=1, isolate=True), "limit 1s, isolated"),
    ],
)
def test_the_numbers_that_matter_are_told_in_few_words(step: Step, about: str) -> None:
    assert drawn(step).about.endswith(about)


@given(trees(["sim-mini", "sim-mid"], depth=3))
def test_every_step_is_a_node_of_the_chart_and_every_other_one_has_an_arrow(step: Step) -> None:
    first, *lines = flowchart(drawn(step)).splitlines()
    assert first == "graph TD"
    nodes = [found[1] for line in lines if (found := re.fullmatch(r'  (n\d+)\["[^"]+"\]', line))]
    arrows = [found[2] for line in lines if (found := re.fullmatch(r'  (n\d+) -->\|"[^"]*"\| (n\d+)', line))]
    count = sum(1 for _ in specs(step))
    assert nodes == [f"n{number}" for number in range(count)]
    assert sorted(arrows) == sorted(nodes[1:])
    assert len(nodes) + len(arrows) == len(lines)


@given(st.text())
def test_no_label_says_anything_to_mermaid(text: str) -> None:
    found = escaped(text)
    assert not set('"[]{}()<>|`\n\\') & set(found)
    assert re.sub(r"#(\d+);", lambda one: chr(int(one[1])), found) == text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"pattern": "suport"}, "did you mean 'support'"),
        ({"pattern": "support", "input_tokens": -1}, "--input-tokens is -1; give a number from 0"),
        ({"pattern": "support", "mermaid": True, "json": True}, "give either --mermaid or --json"),
    ],
)
def test_wrong_input_is_told(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        explain(**arguments)  # type: ignore[arg-type]
