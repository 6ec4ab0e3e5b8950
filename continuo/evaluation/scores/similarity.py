"""How near an answer is to the right one in meaning, as an embedding model has it."""

from base64 import b64decode
from typing import Literal

from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import AskingMetric, NoScore, right_texts
from continuo.jobs import Outcome
from continuo.messages import Message, ModelRequest


class Similarity(AskingMetric):
    """The cosine of the embeddings of the answer and of the nearest right one, by an embedding model; 0 where it is
    below."""

    kind: Literal["similarity"] = "similarity"

    def check(self, example: Example) -> None:
        right_texts(self, example)

    def request(self, outcome: Outcome, example: Example) -> ModelRequest:
        """For the embedding of the answer, and of each right one."""
        texts = (outcome.text, *right_texts(self, example))
        return ModelRequest(messages=tuple(Message(role="user", content=text) for text in texts), embed=True)

    def score(self, outcome: Outcome, example: Example) -> Score:
        # It takes long to load.
        import numpy

        count = 1 + len(right_texts(self, example))
        try:
            vectors = numpy.frombuffer(b64decode(outcome.embedding or "", validate=True), "<f4").reshape(count, -1)
        except ValueError:
            raise NoScore(f"{self.pattern} gave no {count} embeddings") from None
        vectors = vectors.astype(float)
        with numpy.errstate(all="ignore"):
            vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        if not vectors.size or not numpy.isfinite(vectors).all():
            raise NoScore(f"{self.pattern} gave an embedding without a direction")
        return Score(value=float(numpy.clip((vectors[1:] @ vectors[0]).max(), 0, 1)))
