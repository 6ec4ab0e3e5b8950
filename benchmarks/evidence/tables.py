"""The rules of the patterns on public tables of what real models answered."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.evidence.claim import Claim
from continuo.evaluation.replay import taken
from continuo.evaluation.routing import learned_route
from continuo.evaluation.savings import Savings, savings
from continuo.evaluation.table import Answer, Question, read_table
from continuo.evaluation.tuning import halves, tuned_cascade
from continuo.patterns import Call, Cascade, Route, Step

PRICES = {
    "llama3.1-8b": (2e-7, 2e-7),
    "llama3.1-70b": (9e-7, 9e-7),
    "llama3.1-405b": (3e-6, 3e-6),
    "gpt-4o-mini": (1.5e-7, 6e-7),
    "gpt-4o": (2.5e-6, 1e-5),
}
"""USD for a token in and out; what an answer cost beyond it was for asking how sure the model is."""

MINI, GPT = Call(model="gpt-4o-mini"), Call(model="gpt-4o")
LLAMAS = tuple(Call(model=f"llama3.1-{size}b") for size in (8, 70, 405))
SCORED = {
    "Llama 8B, 70B, 405B": Route(by="complexity", branches=dict(zip(("low", "medium", "high"), LLAMAS, strict=True))),
    "gpt-4o-mini, gpt-4o-mini, gpt-4o": Route(by="complexity", branches={"low": MINI, "medium": MINI, "high": GPT}),
}
CASCADES = {
    "gpt-4o-mini → gpt-4o": Cascade(steps=(MINI, GPT), thresholds=(0.85,)),
    "Llama 8B → 70B → 405B": Cascade(steps=LLAMAS, thresholds=(0.85, 0.80)),
    "gpt-4o-mini → Llama 70B → gpt-4o": Cascade(steps=(MINI, LLAMAS[1], GPT), thresholds=(0.85, 0.80)),
}
CLAIMED = ("75.0 % for 4.7 points", "53.0 % for 4.5 points", "60 to 80 %")
ALLOWED = (1, 3)
"""Points of accuracy that tuned thresholds may lose."""

ROUTER_LOSS = 5


def questions(folder: Path) -> list[Question]:
    """Those of every table in the folder, with what was paid for ratings told apart."""
    return [
        Question.model_construct(
            prompt=question.prompt,
            models={
                model: _told_apart(one, *PRICES[model]) for model, one in question.models.items() if model in PRICES
            },
        )
        for path in sorted(folder.glob("*.jsonl.gz"))
        for question in read_table(path)
    ]


def _told_apart(answer: Answer, usd_in: float, usd_out: float) -> Answer:
    plain = answer.tokens_in * usd_in + answer.tokens_out * usd_out
    return answer.model_copy(update={"rating_usd": max(0.0, answer.cost_usd - plain)})


def on_tables(folder: Path) -> Iterator[Claim]:
    """Each claim as it is on the tables."""
    every = questions(folder)
    number = f"{len(every):,} public questions"
    for (name, cascade), claimed in zip(CASCADES.items(), CLAIMED, strict=True):
        at = "/".join(f"{threshold:g}" for threshold in cascade.thresholds)
        yield Claim(f"cascade {name} at {at}: saves {claimed}", _result(cascade, every), number)
    for name, route in SCORED.items():
        yield Claim(f"route by complexity to {name}: saves 62 to 70 %", _result(route, every), number)
    training, rest = map(len, halves(every))
    halved = f"tuned on {training:,} of them, measured on the other {rest:,}"
    for name, cascade in CASCADES.items():
        for points in ALLOWED:
            chosen = tuned_cascade(cascade, every, points / 100).chosen
            best = "no thresholds lose so little" if chosen is None else _described(chosen.test)
            setting = "" if chosen is None else f": {chosen.setting}"
            yield Claim(f"cascade {name}, tuned to lose at most {points}", best, f"{halved}{setting}")
    for name, route in SCORED.items():
        chosen = learned_route(route, every, ROUTER_LOSS / 100).chosen
        best = "no router loses so little" if chosen is None else _described(chosen.test)
        yield Claim(f"route to {name}, learned, to lose at most {ROUTER_LOSS}", best, halved)


def _result(step: Step, every: list[Question]) -> str:
    return _described(savings(step, every, [taken(step, question) for question in every]))


def _described(result: Savings) -> str:
    beyond = (result.beyond_mix or 0.0) * 100
    worth = "**worthless**: " if result.worthless else ""
    saved = f"{result.saved:.1%} saved, {result.lost * 100:.1f} points lost"
    return f"{saved}; {worth}{beyond:+.1f} ± {(result.error or 0) * 100:.1f} points against a random mix"
