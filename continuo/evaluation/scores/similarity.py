"""How near an answer is to the right one in meaning, as an embedding model has it."""

from base64 import b64decode
from typing import Literal

from pydantic import Field

from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import Metric, NoScore, right_texts
from continuo.jobs import Outcome


class Similarity(Metric):
    """The cosine of the embeddings of the answer and of a right one, the nearest, by `model`; 0 where it is below.

    Whoever scores asks the model for the `turns`: its outcome is what is scored.
    """

    kind: Literal["similarity"] = "similarity"
    model: str = Field(min_length=1)

    def check(self, example: Example) -> None:
        right_texts(self, example)

    def turns(self, outcome: Outcome, example: Example) -> tuple[str, ...]:
        """The texts to embed: the answer, and then each right one."""
        return (outcome.text, *right_texts(self, example))

    def score(self, outcome: Outcome, example: Example) -> Score:
        """`outcome` is that of the embedding model, for the `turns`. Raises `NoScore` where it has no such vectors."""
        # It takes long to load.
        import numpy

        count = 1 + len(right_texts(self, example))
        try:
            vectors = numpy.frombuffer(b64decode(outcome.embedding or "", validate=True), "<f4").reshape(count, -1)
        except ValueError:
            raise NoScore(f"{self.model} gave no {count} embeddings") from None
        vectors = vectors.astype(float)
        with numpy.errstate(all="ignore"):
            vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        if not vectors.size or not numpy.isfinite(vectors).all():
            raise NoScore(f"{self.model} gave an embedding without a direction")
        return Score(value=float(numpy.clip((vectors[1:] @ vectors[0]).max(), 0, 1)))
