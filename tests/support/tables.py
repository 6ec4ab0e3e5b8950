"""Tables of what models answered, made by chance."""

import json
import random
from pathlib import Path

from continuo.evaluation.table import Answer, Question

PRICES = {"sim-mini": 0.001, "sim-mid": 0.005, "sim-premium": 0.02}
"""USD for an answer."""

RIGHT = {"sim-mini": 0.5, "sim-mid": 0.7, "sim-premium": 0.9}


def made(count: int, seed: int = 0, *, telling: float = 1.0) -> list[Question]:
    """So many questions. What a model is sure of is right, as far as its confidence is `telling` (0..1)."""
    chance = random.Random(seed)
    return [Question(prompt=f"Explain lamp {number}?", models=_answers(chance, telling)) for number in range(count)]


def _answers(chance: random.Random, telling: float) -> dict[str, Answer]:
    answers = {}
    for model, usd in PRICES.items():
        right = chance.random() < RIGHT[model]
        sure = chance.random() if chance.random() >= telling else chance.uniform(*((0.5, 1) if right else (0, 0.7)))
        answers[model] = Answer(correct=right, confidence=sure, cost_usd=usd, tokens_in=9, tokens_out=5, answer="Yes.")
    return answers


def written(folder: Path, questions: list[Question]) -> Path:
    path = folder / "table.jsonl"
    path.write_text("".join(f"{question.model_dump_json()}\n" for question in questions), encoding="utf-8")
    return path


def pattern_file(folder: Path, pattern: object, name: str = "tried") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"description": "Tried on a table.", "pattern": pattern}), encoding="utf-8")
    return path
