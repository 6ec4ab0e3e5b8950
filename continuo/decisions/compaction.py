"""Leaving the oldest turns out of what a model is shown, so that it fits so many tokens."""

from collections.abc import Sequence
from itertools import accumulate, chain

import orjson

from continuo.data import Data
from continuo.decisions.media_tokens import usual_tokens
from continuo.messages import Message, ModelRequest, content_of, estimated_tokens
from continuo.parts import Reasoning, Text
from continuo.patterns import Compaction, Compress

SUMMARISE = (
    "Sum up the conversation so far for whoever goes on with it and does not see it: what was asked, what was done with"
    " which result, what was learnt, with every name, number and quotation that may still matter, and what is open."
    " Answer with the summary alone."
)

NOTE = 50
"""Tokens that are enough for a note without its summary, and for the marks of data around that."""


class LeftOut(Data):
    """So many `turns`, of about so many `tokens`: all before that of the number `cut`, but what the user said last.

    `room` is how many tokens a summary of them may have.
    """

    cut: int
    turns: int
    tokens: int
    room: int


def note(turns: int, summary: str = "") -> str:
    """What stands in place of so many turns that are left out."""
    left_out = f"{turns} earlier turns are left out here." if turns > 1 else "An earlier turn is left out here."
    return f"[{left_out} In sum:\n{summary}]" if summary else f"[{left_out}]"


def tokens(message: Message) -> int:
    """About how many tokens a message is."""
    thoughts = [part.text for part in message.parts if isinstance(part, Text | Reasoning)]
    calls = (text for call in message.tool_calls for text in (call.name, call.arguments))
    return estimated_tokens(*thoughts, *calls) + sum(map(usual_tokens, message.media)) + 4


def all_tokens(request: ModelRequest) -> int:
    """About how many tokens a request is: its instructions, its tools and its turns."""
    offered = (orjson.dumps(tool.model_dump(mode="json")).decode() for tool in request.tools)
    return estimated_tokens(request.system or "", *offered) + sum(map(tokens, request.messages))


def turns_of(messages: Sequence[Message]) -> list[tuple[Message, ...]]:
    """The messages as turns: no call of a tool is in another one than its result."""
    turns: list[tuple[Message, ...]] = []
    waiting = set[str]()
    for message in messages:
        if turns and (waiting or message.role == "tool"):
            turns[-1] += (message,)
        else:
            turns.append((message,))
        waiting.discard(message.tool_call_id or "")
        waiting.update(call.id for call in message.tool_calls)
    return turns


def oldest(sizes: Sequence[int], free: int) -> int:
    """How many of the first ones come to `free` together; all where that is not enough."""
    sums = accumulate(sizes, initial=0)
    return next((count for count, size in enumerate(sums) if size >= free), len(sizes))


def left_out(sizes: Sequence[int], read: int, context: Compaction) -> int:
    """How many of the oldest turns of an agent, which are about so many tokens each, the model is shown no more.

    `read` is what all that it is shown comes to. With more than `context.tokens` as many go as leave half of that, so
    that the next ones fit too; the last `keep` stay as long as these themselves fit, and the very last one always.
    """
    if read <= context.tokens or len(sizes) < 2:
        return 0
    old = max(0, len(sizes) - context.keep)
    count = oldest(sizes[:old], read - context.tokens // 2)
    return count if count < old else max(old, oldest(sizes[:-1], read - context.tokens))


def left_out_of(request: ModelRequest, step: Compress) -> LeftOut | None:
    """The oldest turns without which the request has at most `step.tokens`, or None where none need or can go."""
    read = all_tokens(request)
    if read <= step.tokens or request.embed:
        return None
    turns = turns_of(request.messages)
    task = _task(turns)
    sizes = [0 if at == task else sum(map(tokens, turn)) for at, turn in enumerate(turns)]
    room = step.tokens // 4 if step.summary else 0
    cut = oldest(sizes[: -step.keep], read - step.tokens + NOTE + room)
    gone = sum(sizes[:cut])
    if gone <= NOTE:
        return None
    rest = step.tokens - (read - gone) - NOTE
    return LeftOut(cut=cut, turns=cut - (task < cut), tokens=gone, room=max(0, min(room, rest)))


def before(request: ModelRequest, cut: int) -> tuple[Message, ...]:
    """All that was said before that turn."""
    return tuple(chain.from_iterable(turns_of(request.messages)[:cut]))


def shortened(request: ModelRequest, cut: int, note: str) -> ModelRequest:
    """The request with the note in place of the turns before that one, of which what the user said last stays."""
    turns = turns_of(request.messages)
    task, kept = _task(turns), turns[cut:]
    if task < cut:
        *first, last = turns[task]
        # One turn with it: no model takes the note for what it is asked.
        last = last.model_copy(update={"content": content_of([*last.parts, Text(text=f"\n\n{note}")])})
        opening = (*first, last)
    else:
        opening = (Message(role="user", content=note),)
    return request.model_copy(update={"messages": (*opening, *chain.from_iterable(kept))})


def _task(turns: Sequence[tuple[Message, ...]]) -> int:
    """The place of the turn in which the user spoke last; behind all of them where he did not."""
    spoken = (at for at, turn in reversed([*enumerate(turns)]) if any(message.role == "user" for message in turn))
    return next(spoken, len(turns))
