"""What makes two jobs the same for a cache.

A field that is added to what a key is made of is marked `WHEN_SET`: else every cache would empty with the release.
"""

import json
from hashlib import sha256

from pydantic import JsonValue

from continuo.jobs import Job
from continuo.messages import Message, ModelRequest
from continuo.parameters import UNSEEN
from continuo.patterns import Cached


def entry_key(step: Cached, job: Job) -> str:
    """The key of a job's answer: 64 hexadecimal digits. It holds no time and no id."""
    return _digest({"scope": scope(step, job), **_chosen(step, job)})


def family(step: Cached, job: Job) -> str:
    """What two jobs must share to be compared by meaning: all that is chosen but what the user said last.

    The embedding model too, since the vectors of two models have nothing to do with each other.
    """
    chosen = _chosen(step, job)
    if "messages" in chosen:
        chosen["messages"] = _around_the_prompt(job.request.messages)
    embedding = step.semantic.model if step.semantic else None
    last = job.request.last_from_user
    beside = _beside_the_text(last) if last else None
    return _digest({"scope": scope(step, job), **chosen, "prompt": beside, "embedding": embedding})


def scope(step: Cached, job: Job) -> str:
    """Whose entries count for `max_size`: this step's for this tenant, so that nobody evicts another's."""
    return _digest({"tenant": job.context.tenant, "step": step.step.model_dump(mode="json")})


def _chosen(step: Cached, job: Job) -> dict[str, JsonValue]:
    """The fields that the step names; by default all of the request on which an answer depends, and the data."""
    request: dict[str, JsonValue] = job.request.model_dump(mode="json", exclude={*UNSEEN})
    every: dict[str, JsonValue] = {
        **request,
        "prompt": _prompt(job.request),
        "user": job.context.user,
        "data": dict(job.data),
        **{f"data.{name}": value for name, value in job.data.items()},
    }
    return {name: every.get(name) for name in step.key or (*request, "data")}


def _prompt(request: ModelRequest) -> JsonValue:
    """What the user said last: a text, or parts, in which media are known by their SHA-256."""
    last = request.last_from_user
    return last.model_dump(mode="json")["content"] if last and last.media else request.prompt


def _around_the_prompt(turns: tuple[Message, ...]) -> list[JsonValue]:
    """All turns, the prompt's without its text. It is not always the last one: a tool's result may follow."""
    last = max((number for number, turn in enumerate(turns) if turn.role == "user"), default=None)
    return [
        turn.model_dump(mode="json") | ({"content": _beside_the_text(turn)} if number == last else {})
        for number, turn in enumerate(turns)
    ]


def _beside_the_text(turn: Message) -> JsonValue:
    """The media of a turn, None without any: two questions about two images are never near each other."""
    return [part.model_dump(mode="json") for part in turn.media] or None


def _digest(value: dict[str, JsonValue]) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
