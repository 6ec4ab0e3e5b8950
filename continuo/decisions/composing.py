"""How a model is asked for a pattern: once more, with its mistake named, where the first one cannot be used."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from continuo.jobs import Failure, Outcome
from continuo.messages import Message
from continuo.patterns.auto import MAX_TEXT, TRIES

T = TypeVar("T")

MAX_MISTAKE = 500
"""Characters of a mistake: it may quote what the model has written."""

Ask = Callable[[tuple[Message, ...]], Awaitable[Outcome | Failure]]
"""Asks a model these turns."""

Check = Callable[[str], Awaitable[T | str]]
"""Makes a pattern of a model's text, or says in one line what is wrong with it."""


async def composed_by(ask: Ask, check: Check[T], wish: str) -> tuple[T | None, tuple[str, ...]]:
    """The pattern of a model for the `wish`; None where it writes none that can be used. And what was wrong before."""
    turns: tuple[Message, ...] = (Message(role="user", content=wish),)
    wrong: list[str] = []
    for _ in range(TRIES):
        result = await ask(turns)
        if isinstance(result, Failure):
            wrong.append(result.cause)
            break
        text = result.text[: MAX_TEXT + 1]
        pattern = await check(text)
        if not isinstance(pattern, str):
            return pattern, tuple(wrong)
        wrong.append(" ".join(pattern.split())[:MAX_MISTAKE])
        again = Message(role="user", content=f"This cannot be used: {wrong[-1]}. Write the whole pattern again.")
        turns = (*turns, Message(role="assistant", content=text or "(nothing)"), again)
    return None, tuple(wrong)
