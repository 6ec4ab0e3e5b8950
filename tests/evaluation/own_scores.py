"""Scores as a user writes them."""

from continuo.evaluation.examples import Example, Score
from continuo.jobs import Outcome


def polite(outcome: Outcome, example: Example) -> bool:
    return "please" in outcome.text


def like(outcome: Outcome, example: Example) -> float:
    return float(outcome.text)


def reasoned(outcome: Outcome, example: Example) -> Score:
    return Score(value=0.5, why=f"{example.id} is half right")


def fails(outcome: Outcome, example: Example) -> float:
    raise SystemExit(f"no\n{outcome.text}")


def endless(outcome: Outcome, example: Example) -> object:
    return 10**5000 if outcome.text else None


async def waits(outcome: Outcome, example: Example) -> float:
    raise AssertionError


def alone(outcome: Outcome) -> float:
    raise AssertionError
