"""What an evaluation came to: each answer with its scores, and what they come to for each pattern and tag."""

from datetime import datetime

from pydantic import JsonValue

from continuo.data import Data
from continuo.evaluation.agreement import WithPeople
from continuo.evaluation.examples import Score
from continuo.evaluation.intervals import Estimate
from continuo.evaluation.scores.corpus import CorpusScore


class Item(Data):
    """One item of the set: its `line` in the file, its input as text, and the right answers, if any are given."""

    id: str
    line: int
    prompt: str
    expected: tuple[JsonValue, ...] = ()
    tags: tuple[str, ...] = ()


class Answer(Data):
    """What one pattern made of one item: a `text`, or a `failure` in its place, which scores 0.

    `unscored` says by the name of a score why it could not be given. `cost_usd` is that of all calls, and absent where
    one is unknown; `latency_ms` is from the start of the run to its end.
    """

    text: str | None = None
    failure: str | None = None
    scores: dict[str, Score] = {}
    unscored: dict[str, str] = {}
    simulated: bool = False
    cost_usd: float | None = None
    latency_ms: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    def passes(self, passing: float) -> bool:
        """Whether it is an answer, and has all scores, none of them below `passing`."""
        return not self.failure and not self.unscored and all(one.value >= passing for one in self.scores.values())


class Summary(Data):
    """Several items together. Cost and tokens are sums; latencies are of the answers, absent where there is none."""

    items: int
    passed: int
    failed: int
    scores: dict[str, Estimate]
    cost_usd: float | None
    median_ms: float | None
    p95_ms: float | None
    input_tokens: int
    output_tokens: int

    @property
    def cost_each_usd(self) -> float | None:
        return None if self.cost_usd is None else self.cost_usd / self.items


class Tried(Data):
    """One pattern: its `answers` in the order of the items, and the id of the batch whose runs they are.

    `corpus` is what is said of all answers together by scores that are made for whole sets. `scoring_usd` is what
    asking models for scores cost, and `with_people` how far a score of this name agrees with people, where these have
    rated its answers.
    """

    pattern: str
    batch: str
    answers: tuple[Answer, ...]
    whole: Summary
    by_tag: dict[str, Summary] = {}
    corpus: dict[str, CorpusScore] = {}
    scoring_usd: float = 0.0
    with_people: dict[str, WithPeople] = {}

    @property
    def simulated(self) -> int:
        """How many answers are a simulated model's."""
        return sum(answer.simulated for answer in self.answers)


class Evaluation(Data):
    """A golden set on one pattern or several, which ended at that time (UTC). `scores` are the names of these."""

    golden_set: str
    ended: datetime
    scores: tuple[str, ...]
    passing: float
    items: tuple[Item, ...]
    patterns: tuple[Tried, ...]

    def not_passed(self) -> list[int]:
        """The places, from 0, of the items that not every pattern's answer passes."""
        return [
            place
            for place in range(len(self.items))
            if not all(tried.answers[place].passes(self.passing) for tried in self.patterns)
        ]
