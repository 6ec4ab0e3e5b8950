"""The pattern `assistant` on simulated models: no key is needed, nothing is spent."""

from pathlib import Path

from continuo.client.sync import Continuo
from continuo.testing.local import Simulator

QUESTION = (Path(__file__).parent.parent / "examples" / "question.txt").read_text(encoding="utf-8")


def test_the_best_model_answers(continuo_sync: Continuo) -> None:
    assert continuo_sync.run("assistant", QUESTION).tier == 1


def test_a_fixed_text_answers_when_every_model_is_down(continuo_sync: Continuo, continuo_simulator: Simulator) -> None:
    for model in ("sim-premium", "sim-mid"):
        continuo_simulator.behave(model, status=400)
    outcome = continuo_sync.run("assistant", QUESTION)
    assert outcome.fallback
    assert outcome.text.startswith("We will answer you")
