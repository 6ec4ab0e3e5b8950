"""The shapes of embeddings, OpenAI's and Google's. Neither is ever streamed."""

from array import array
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace

from continuo.simulator import google, openai
from continuo.simulator.reply import Json, Question, Reply


class OpenAI:
    error = staticmethod(openai.error)

    @staticmethod
    def question(body: Json) -> Question:
        texts, form = body["input"], body.get("encoding_format", "float")
        if form not in ("float", "base64"):
            raise ValueError(f"encoding_format is {form!r}")
        one = isinstance(texts, str) or (texts and isinstance(texts[0], int))
        question = asking([_text(text) for text in ([texts] if one else texts)], body.get("dimensions"))
        return replace(question, packed=form == "base64")

    @staticmethod
    def answer(model: str, reply: Reply) -> Json:
        vectors = [_packed(vector) if reply.packed else vector for vector in reply.vectors]
        numbered = enumerate([] if reply.empty else vectors)
        data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in numbered]
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
        requests = body["requests"]
        texts = [one["content"]["parts"][0]["text"] for one in requests]
        return asking(texts, requests[0].get("outputDimensionality"))

    @staticmethod
    def answer(model: str, reply: Reply) -> Json:
        return {"embeddings": [{"values": [] if reply.empty else vector} for vector in reply.vectors]}


def asking(texts: list[str], dimensions: int | None) -> Question:
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise ValueError("an input is empty, or no text")
    return Question(
        prompt=texts[-1],
        length=sum(map(len, texts)),
        tools=(),
        answered_tool=False,
        schema=None,
        embeds=tuple(texts),
        dimensions=dimensions,
    )


def _text(given: str | list[int]) -> str:
    """Tokens count as a text of their numbers: nobody knows here what they mean."""
    return " ".join(map(str, given)) if isinstance(given, list) else given


def _packed(vector: list[float]) -> str:
    return b64encode(array("f", vector).tobytes()).decode()
