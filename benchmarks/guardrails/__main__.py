"""`python -m benchmarks.guardrails [--quick]`: recall, false alarms and speed, beside Presidio's on the same texts."""

import asyncio
import statistics
import time
from random import Random

from cyclopts import App
from rich.console import Console
from rich.table import Table

from benchmarks.guardrails.presidio import EVALUATOR, VERSION, answers, sentences
from benchmarks.guardrails.score import Score, scores
from benchmarks.guardrails.texts import Labelled, negatives, positives
from benchmarks.guardrails.values import REGIONS
from continuo.guardrails.recognisers.registered import FAMILIES, recognised

KINDS = (*FAMILIES, "PHONE")
SEED = 2026

app = App(name="benchmarks.guardrails", help="Compare recognisers.")


def accuracy(title: str, ours: dict[str, Score], theirs: dict[str, Score]) -> Table:
    table = Table(
        "kind", "values", "recall", "precision", "false", "Presidio: recall", "precision", "false", title=title
    )
    for kind, score in ours.items():
        if score.values:
            other = theirs.get(kind, Score(0, 0, 0))
            table.add_row(
                kind,
                str(score.values),
                *_figures(score),
                *(_figures(other) if other.hits or other.false else ("-", "-", "-")),
            )
    return table


def _figures(score: Score) -> tuple[str, ...]:
    return *("-" if share is None else f"{share:.3f}" for share in (score.recall, score.precision)), str(score.false)


async def compare(title: str, texts: list[Labelled], *, with_names: bool) -> Table:
    ours = [recognised(text.text, KINDS, REGIONS) for text in texts]
    theirs = [answer.findings for answer in await answers("presidio", texts)]
    our_scores = scores(texts, ours)
    if with_names:
        named = scores(texts, [answer.findings for answer in await answers("names", texts)])
        our_scores |= {kind: score for kind, score in named.items() if kind in ("PERSON", "LOCATION")}
    return accuracy(title, our_scores, scores(texts, theirs))


def _of_size(texts: list[Labelled], characters: int) -> str:
    """Ordinary text with a value in about each twelfth sentence."""
    prose = (
        "The parcel of 12 March came late, and two of its five boxes were open; who could look into it before Friday? "
    )
    written = ""
    for number in range(characters):
        if len(written) >= characters:
            break
        written += prose if number % 12 else texts[number % len(texts)].text + "\n"
    return written[:characters]


async def speed(texts: list[Labelled], *, rounds: int) -> Table:
    table = Table("text", "Continuo: median", "Presidio: median", title="processor time, all kinds but names")
    for characters in (200, 2_000, 20_000, 100_000):
        text = _of_size(texts, characters)
        times = []
        for _ in range(rounds):
            started = time.process_time()
            recognised(text, KINDS, REGIONS)
            times.append(time.process_time() - started)
        theirs = await answers("presidio", [Labelled(text, ())] * min(rounds, 5))
        table.add_row(
            f"{characters:,}",
            *(f"{statistics.median(each) * 1000:.2f} ms" for each in (times, [one.seconds for one in theirs])),
        )
    return table


WORST = (
    "a",
    "1",
    "1 ",
    "+1 ",
    "@",
    "a@b.",
    "AB12",
    "1.",
    "1-",
    ":",
    "a:",
    "sk-",
    "password=",
    "-----BEGIN PRIVATE KEY-----",
    "born ",
    "é@",
    "://a:b@",
    "0612345678 ",
)
"""Texts that repeat one of these without end."""


def worst(size: int) -> Table:
    """How the time grows where the text doubles: twice is linear."""
    table = Table("repeated", f"{size:,}", f"{2 * size:,}", "ratio", title="the worst texts")
    for piece in WORST:
        seconds = []
        for characters in (size, 2 * size):
            text = (piece * characters)[:characters]
            started = time.process_time()
            recognised(text, KINDS, REGIONS)
            seconds.append(time.process_time() - started)
        table.add_row(piece, *(f"{each * 1000:.0f} ms" for each in seconds), f"{seconds[1] / seconds[0]:.1f}")
    return table


async def measure(console: Console, *, quick: bool) -> None:
    random = Random(SEED)
    each, plain, generated = (5, 60, 40) if quick else (250, 3000, 1500)
    texts = [*positives(random, each), *negatives(random, plain)]
    console.print(await compare(f"our texts; {plain:,} have no value", texts, with_names=False))
    console.print(
        await compare(f"sentences of presidio-evaluator {EVALUATOR}", await sentences(generated), with_names=True)
    )
    console.print(await speed(texts, rounds=3 if quick else 50))
    console.print(worst(20_000 if quick else 1_000_000))
    console.print(f"Presidio {VERSION}, with a score of at least 0.35 and the recognisers of the same countries")


@app.default
def main(*, quick: bool = False) -> None:
    """Measure, print the tables and end.

    Parameters
    ----------
    quick
        Only see that all of it runs; its figures mean nothing.
    """
    asyncio.run(measure(Console(width=140), quick=quick))


app()
