"""`python -m benchmarks.scores [--quick]`: how long scores of answers take, in processor time."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from cyclopts import App
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from continuo.evaluation.examples import Example
from continuo.evaluation.scores.base import Metric
from continuo.evaluation.scores.corpus import CorpusMetric, corpus
from continuo.evaluation.scores.scorer import Scorer
from continuo.jobs import Outcome

WORDS = 30
"""Of an answer and of its right one, on average."""

VOCABULARY = ("the", "a", "cat", "dog", "hill", "sat", "ran", "over", "under", "it's", "3.5%", "well-known", "slowly.")
SCORERS: TypeAdapter[Metric] = TypeAdapter(Scorer)
KINDS = ("exact", "normalised", "contains", "number", "bleu", "chrf", "rouge-1", "rouge-2", "rouge-l", "rouge-lsum")

app = App(name="benchmarks.scores", help="Measure scores of answers.")


def seconds(work: Callable[[], object]) -> str:
    start = time.process_time()
    work()
    return f"{time.process_time() - start:.2f} s"


def text(random: Random, words: int) -> str:
    return "".join(random.choice(VOCABULARY) + random.choice("         \n") for _ in range(words))


def scored(metric: Metric, pairs: Sequence[tuple[Outcome, Example]]) -> None:
    for outcome, example in pairs:
        metric.score(outcome, example)


def scored_together(metric: CorpusMetric, pairs: Sequence[tuple[Outcome, Example]]) -> None:
    corpus(metric, [(outcome.text, [str(example.expected)]) for outcome, example in pairs])


@app.default
def main(*, quick: bool = False) -> None:
    """Measure, print the table and end.

    Parameters
    ----------
    quick
        Only see that all of it runs; its figures mean nothing.
    """
    count, long = (100, 1_000) if quick else (10_000, 100_000)
    random = Random(2026)

    def pair(words: int) -> tuple[Outcome, Example]:
        said, right = (text(random, words) for _ in range(2))
        return Outcome(text=said, served_by="model"), Example(id="1", expected=f"{right} 1")

    pairs, long_pair = [pair(random.randint(1, 2 * WORDS)) for _ in range(count)], pair(long)
    table = Table("scorer", f"{count:,} pairs", "all together", f"a pair of {long:,} words", title="scores of answers")
    for kind in KINDS:
        metric = SCORERS.validate_python({"kind": kind})
        # The first loads what it needs.
        scored(metric, pairs[:1])
        many, one = (seconds(partial(scored, metric, some)) for some in (pairs, [long_pair]))
        together = seconds(partial(scored_together, metric, pairs)) if isinstance(metric, CorpusMetric) else ""
        table.add_row(kind, many, together, one)
    Console(width=120).print(table)


if __name__ == "__main__":
    app()
