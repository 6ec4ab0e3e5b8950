"""`continuo transcript`: all that was said to an agent and by it."""

from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from continuo.authoring.library import Library
from continuo.messages import Message
from continuo.starters.console.terminal import out

_STYLES = {"user": "cyan", "assistant": "green", "tool": "yellow"}


async def transcript(run: str, *, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Show all that was said to an agent and by it, with the calls of its tools, also where its model saw less.

    Parameters
    ----------
    run
        Its workflow id.
    json
        Print all of it as JSON.
    """
    from continuo.door.agents import Transcript
    from continuo.door.agents import transcript as read
    from continuo.temporal.connect import connect

    library = Library()
    transcript = await read(await connect(), library.settings, run)
    transcript = Transcript.model_validate_json(library.masker.json(transcript.model_dump_json()))
    if json:
        out.out(transcript.model_dump_json(indent=2))
        return 0
    for message in transcript.messages:
        out.print(Text(message.role, style=_STYLES[message.role]), *_lines(message), sep="\n")
    return 0


def _lines(message: Message) -> list[Text]:
    media = [Text(f"  [{part.kind} {part.name or part.sha256[:12]}]") for part in message.media]
    calls = [Text(f"  {call.name} {call.arguments}") for call in message.tool_calls]
    return [*media, *([Text(f"  {message.text}")] if message.text else []), *calls]
