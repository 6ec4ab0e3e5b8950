"""An evaluation as it is, without any run."""

from collections.abc import Sequence
from datetime import UTC, datetime

from continuo.evaluation.examples import Score
from continuo.evaluation.results import Answer, Evaluation, Item, Tried
from continuo.evaluation.summaries import by_tag, summarised


def evaluation(texts: Sequence[str], patterns: Sequence[str] = ("one", "two")) -> Evaluation:
    """Of items of these texts, each of whose answers is the same text, but for the last one, which failed."""
    items = [Item(id=f"i{n}", line=n, prompt=text, expected=(text,), tags=(text,)) for n, text in enumerate(texts, 1)]
    answers = [
        Answer(text=text, scores={"exact": Score(value=0.25, why=text)}, simulated=True, cost_usd=0.5, latency_ms=1500)
        for text in texts[:-1]
    ]
    answers.append(Answer(failure=texts[-1], scores={"exact": Score(value=0)}, cost_usd=0.5))
    tried = Tried(
        pattern="",
        batch="b",
        answers=tuple(answers),
        whole=summarised(answers, ["exact"], 0.5),
        by_tag=by_tag(items, answers, ["exact"], 0.5),
    )
    return Evaluation(
        golden_set="mine",
        ended=datetime(2026, 1, 2, tzinfo=UTC),
        scores=("exact",),
        passing=0.5,
        items=tuple(items),
        patterns=tuple(tried.model_copy(update={"pattern": pattern}) for pattern in patterns),
    )
