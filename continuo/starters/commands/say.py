"""`continuo say`: a message to an agent that runs."""

from continuo.authoring.library import Library
from continuo.starters.console.terminal import out


async def say(run: str, text: str) -> int:
    """Say something to an agent that runs; it reads that before its next turn.

    Parameters
    ----------
    run
        Its workflow id.
    text
        What is said to it.
    """
    from continuo.door import Door
    from continuo.temporal.connect import connect

    answer = await Door(await connect(), Library()).say(run, text)
    if answer is None:
        out.print(f"{run} was told")
    else:
        # A rule's: the agent was not told.
        out.out(answer)
    return 0
