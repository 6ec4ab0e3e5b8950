"""`continuo say`: a message to an agent that runs."""

from continuo.authoring.prepare import check_text
from continuo.door.agents import say as said
from continuo.errors import InputError
from continuo.starters.console.terminal import out
from continuo.temporal.connect import connect


async def say(run: str, text: str) -> int:
    """Say something to an agent that runs; it reads that before its next turn.

    Parameters
    ----------
    run
        Its workflow id.
    text
        What is said to it.
    """
    check_text("text", text)
    if not await said(await connect(), run, text):
        raise InputError(f"run: no agent runs as {run[:80]!r}; see `continuo runs`, or start it again")
    out.print(f"{run} was told")
    return 0
