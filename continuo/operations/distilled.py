"""Examples for a model to learn from, made of runs, and the card that says what they are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from typing import Literal

from continuo.decisions.compaction import all_tokens
from continuo.decisions.folding import folded
from continuo.jobs import Failure, Job, Outcome
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.operations.runs import RunRow
from continuo.patterns import Agent, Call

Part = Literal["train", "validation"]

WRITERS = ("model", "cache", "human")
"""Who serves an answer from which something can be learnt: all else is written down already."""

SIZE = 16
"""Bytes of a digest: 100,000 examples are told apart by some megabytes."""


def unfit(job: Job, end: Outcome | Failure) -> str | None:
    """Why nothing can be learnt from a run, or None."""
    if isinstance(end, Failure):
        return "failed"
    if end.served_by not in WRITERS:
        return f"answered by a {end.served_by}"
    if end.partial or end.fallback:
        return "a partial or fallback answer"
    if job.request.embed or not (end.text or _calls(end)):
        return "has no text"
    return None


def example(job: Job, end: Outcome, transcript: Sequence[Message]) -> ModelRequest:
    """The run's instructions, tools and turns, of which the last is its answer; `transcript` is an agent's."""
    step, request = job.step, job.request
    own = step.system if isinstance(step, Call | Agent) else None
    tools = step.offered if isinstance(step, Agent) else request.tools
    answer = Message(role="assistant", content=end.text, tool_calls=_calls(end))
    messages = tuple(transcript) or (*request.messages, answer)
    return ModelRequest(messages=messages, system=request.system or own, tools=tools)


def part_of(example: ModelRequest, share: float) -> Part:
    """Where it belongs: by what its user says alone, so that no question is in both and a later set agrees.

    `share`, in 0..1, is the one of the validation.
    """
    said = [message.text for message in example.messages if message.role == "user"]
    number = int.from_bytes(_digest(said)[:8])
    return "validation" if number < share * 2**64 else "train"


def texts(example: ModelRequest) -> list[str]:
    """What was said in it, and asked of tools. Instructions, which many examples share, are not among it."""
    calls = [call.arguments for message in example.messages for call in message.tool_calls]
    return [*(message.text for message in example.messages), *calls]


class Card:
    """Counts what becomes of each run."""

    def __init__(self) -> None:
        self.parts = Counter[str]()
        self.dropped = Counter[str]()
        self._replaced = Counter[str]()
        self._models = Counter[tuple[str, str]]()
        self._patterns = Counter[str]()
        self._times: list[datetime] = []
        self._tokens = 0
        self._simulated = 0
        self._digests = set[bytes]()

    def is_new(self, example: ModelRequest) -> bool:
        """Whether no example before says the same, but for case, accents and white space."""
        calls = [(call.name, call.arguments) for message in example.messages for call in message.tool_calls]
        said = [(message.role, message.text) for message in example.messages]
        digest = _digest(chain([example.system or ""], *said, *calls))
        known = digest in self._digests
        self._digests.add(digest)
        return not known

    def keep(self, row: RunRow, end: Outcome, example: ModelRequest, replaced: Mapping[str, int], part: Part) -> None:
        """`replaced` says how much of each kind was in it."""
        self.parts[part] += 1
        self._replaced.update(replaced)
        self._models[row.model or "no model", end.provider or "none"] += 1
        self._patterns[row.pattern] += 1
        self._times = [min([*self._times, row.started]), max([*self._times, row.started])]
        self._tokens += all_tokens(example)
        self._simulated += bool(end.simulated)

    def markdown(self, made: datetime, wanted: Mapping[str, object]) -> str:
        """The card, for people; `wanted` is what was asked for."""
        began = " to ".join(f"{time.astimezone(UTC):%Y-%m-%d %H:%M}" for time in self._times) or "-"
        facts = {
            **{name: f"`{value}`" for name, value in wanted.items() if value is not None},
            "runs that were looked at": f"{self.parts.total() + self.dropped.total():,}",
            "runs of the examples began (UTC)": began,
            "examples in `train.jsonl`": f"{self.parts['train']:,}",
            "examples in `validation.jsonl`": f"{self.parts['validation']:,}",
            "tokens of all, about": f"{self._tokens:,}",
        }
        models = Counter({f"`{model}` of `{provider}`": count for (model, provider), count in self._models.items()})
        patterns = Counter({f"`{name}`": count for name, count in self._patterns.items()})
        providers = ", ".join(sorted({f"`{provider}`" for _, provider in self._models}))
        lines = [
            "# Training examples of past runs",
            f"Made by `continuo distill`, {made.astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
            _table("", "", facts),
            "## Whose answers they are",
            _table("model", "examples", _counts(models)),
            _table("pattern", "examples", _counts(patterns)),
            "## What was left out",
            _table("why", "runs", _counts(self.dropped)),
            "## Personal data and secrets",
            "Each is replaced by a placeholder, such as `<EMAIL_1>`, also where the runs themselves were kept raw."
            " Recognisers miss some: read a sample before the examples leave the house.",
            _table("kind", "replaced", _counts(self._replaced)),
            "## To be checked",
            f"- The terms of the providers ({providers or 'none'}) may forbid training a model on answers of theirs.",
        ]
        if self._simulated:
            lines.append(f"- {self._simulated:,} answers are simulated: nothing can be learnt from them.")
        return "\n\n".join(lines) + "\n"


def _calls(end: Outcome) -> tuple[ToolCall, ...]:
    return end.message.tool_calls if end.message else ()


def _digest(texts: Iterable[str]) -> bytes:
    return sha256("\0".join(map(folded, texts)).encode(errors="surrogatepass")).digest()[:SIZE]


def _counts(counter: Counter[str]) -> dict[str, str]:
    return {name: f"{count:,}" for name, count in counter.most_common()}


def _table(name: str, value: str, rows: Mapping[str, object]) -> str:
    shown = rows or {"none": ""}
    return "\n".join([f"| {name} | {value} |", "|---|---|", *(f"| {key} | {what} |" for key, what in shown.items())])
