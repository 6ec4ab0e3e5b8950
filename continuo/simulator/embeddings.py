"""The shapes of embeddings, OpenAI's and Google's. Neither is ever streamed."""

from collections.abc import Iterator

from continuo.simulator import google, openai
from continuo.simulator.reply import Json, Question, Reply


class OpenAI:
    error = staticmethod(openai.error)

    @staticmethod
    def question(body: Json) -> Question:
        return _question(body["input"])

    @staticmethod
    def answer(model: str, reply: Reply) -> Json:
        data = [] if reply.empty else [{"object": "embedding", "index": 0, "embedding": reply.vector}]
        counts = {"prompt_tokens": reply.tokens[0], "total_tokens": reply.tokens[0]} if reply.tokens else None
        return {"object": "list", "data": data, "model": model, **({"usage": counts} if counts else {})}

    @staticmethod
    def stream(model: str, reply: Reply) -> Iterator[str]:
        raise NotImplementedError


class Google:
    error = staticmethod(google.error)
    stream = OpenAI.stream

    @staticmethod
    def question(body: Json) -> Question:
        return _question(body["content"]["parts"][0]["text"])

    @staticmethod
    def answer(model: str, reply: Reply) -> Json:
        return {"embedding": {"values": [] if reply.empty else reply.vector}}


def _question(text: str) -> Question:
    return Question(prompt=text, length=len(text), tools=(), answered_tool=False, schema=None, embeds=True)
