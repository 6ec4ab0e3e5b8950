"""What was said before an answer, in which it may repeat nothing, or anything."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from continuo.guardrails.checks.escapes import unescaped
from continuo.guardrails.checks.known import digests
from continuo.guardrails.findings import Recogniser
from continuo.jobs import Job
from continuo.patterns import Agent, Call
from continuo.patterns.walk import specs


def instructions(job: Job) -> list[str]:
    """What the models of the job are told to be, by the request or by a step."""
    own = {spec.system for spec in specs(job.step) if isinstance(spec, Agent | Call)}
    return [text for text in {job.request.system, *own} if text]


def said(job: Job) -> list[str]:
    """The texts of the request, whose earlier turns are loaded, and of the data."""
    texts = [turn.text for turn in job.request.messages]
    texts += [unescaped(call.arguments) for turn in job.request.messages for call in turn.tool_calls]
    return [*texts, *_leaves(job.data)]


def known_in(job: Job, sensitive: Mapping[str, Recogniser]) -> frozenset[str]:
    """The digests of what the answer may say since it was said before; instructions tell whom to write to, and no
    secret that may be handed on."""
    texts = said(job)
    return frozenset[str]().union(
        *(
            digests([*texts, *instructions(job)] if check == "personal" else texts, recogniser)
            for check, recogniser in sensitive.items()
        )
    )


def _leaves(data: Mapping[str, JsonValue]) -> Iterator[str]:
    waiting: list[tuple[str, JsonValue]] = [*data.items()]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        else:
            yield f"{name}: {value}"
