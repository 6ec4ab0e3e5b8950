"""`continuo run`: one pattern, one durable run, on a prompt or on data."""

import asyncio
import json as jsonlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, NoReturn

from cyclopts import Parameter
from pydantic import JsonValue

from continuo.authoring.library import Library
from continuo.authoring.prepare import MAX_INPUT_BYTES, check_text, validated
from continuo.door.request import Request
from continuo.door.stages import accepted
from continuo.errors import InputError, RefusedByRule
from continuo.parts import Media
from continuo.starters.console.completion import Runnable
from continuo.starters.console.terminal import err
from continuo.starters.media import read_media
from continuo.starters.options import RunOptions
from continuo.text_file import read_text


async def run(
    pattern: Runnable,
    prompt: str | None = None,
    *,
    input: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    data: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    id: str | None = None,
    system: str | None = None,
    image: list[str] | None = None,
    audio: list[str] | None = None,
    file: list[str] | None = None,
    stream: Annotated[bool, Parameter(negative=())] = False,
    options: RunOptions | None = None,
) -> int:
    """Ask one question, or act on data, and wait for the answer; the run goes on if this process does not.

    Parameters
    ----------
    pattern
        A named pattern, a YAML file, or model:ID.
    prompt
        The question; with --data or media it may be left out.
    input
        Read the question from this file instead; - is standard input.
    data
        Send the JSON object in this file to the pattern's services; - is standard input.
    id
        Run it once under this id, however often it is submitted; one that failed is run again.
    system
        Instructions for the model, in place of the pattern's own.
    image
        Send this PNG, JPEG, WebP or GIF file too, or an address of an allowed host; may be given several times.
    audio
        Send this WAV or MP3 file too, or an address; may be given several times.
    file
        Send this PDF or text file too, or an address; may be given several times.
    stream
        Print the answer as it comes.
    """
    if input == data == "-":
        raise InputError("--input and --data are both -; read one of them from a file")
    options = options or RunOptions()
    if stream and (options.json or options.detach):
        raise InputError("--stream prints the answer as it comes; leave out --json and --detach")
    library = Library()
    media = await read_media({"image": image, "audio": audio, "file": file}, library.settings.media_hosts)
    text = None if (data or media) and prompt is None and input is None else read_prompt(prompt, input)
    request = requested(
        pattern=pattern,
        prompt=text,
        media=tuple(media),
        data=read_data(data) if data else None,
        system=system,
        id=id,
        stream=stream,
    )
    return await submitted(library, request, options, media)


def requested(**fields: object) -> Request:
    """A `Request`. Raises `InputError` in one line that names the field."""
    return validated(Request, **fields)


async def submitted(
    library: Library, request: Request, options: RunOptions, media: Mapping[Media, bytes] | None = None
) -> int:
    """Submit a request with the content of its `media`, and tell of its run as the options ask; the exit code."""
    context = options.context()
    # A mistake is told whether or not there is a server; what a rule refuses is none, and has a row.
    with suppress(RefusedByRule):
        await asyncio.to_thread(accepted, library, request, context)
    # Loaded here: a mistake is told without what speaks with Temporal, which takes as long to load as all the rest.
    from continuo.door import Door
    from continuo.door.ui import ui_address
    from continuo.starters.console.output import show_end, show_run
    from continuo.temporal.connect import connect
    from continuo.temporal.telemetry import configure_tracing

    client = await connect(configure_tracing("continuo-run", library.masker))
    door = Door(client, library)
    checked = await door.check(request, context)
    if (answered := await door.answered(checked)) is not None:
        show_end(checked.job, answered.outcome, json=options.json)
        return 0
    run = await door.start(checked, media or {})
    if run.answered_before:
        err.print(f"{run.id} has been completed before; this is its outcome")
    return await show_run(client, run, checked.job, ui_address(library.settings.ui_url, client.namespace, run), options)


def read_prompt(prompt: str | None, input: str | None) -> str:
    """The prompt given, or the text of the file."""
    if (prompt is None) == (input is None):
        raise InputError('give either a prompt, as in: continuo run support "Where is my order?", or --input FILE')
    text = prompt or "" if input is None else read_text(input, MAX_INPUT_BYTES)
    return check_text(f"--input {input}" if input else "the prompt", text)


def read_data(path: str) -> dict[str, JsonValue]:
    """The JSON object in a file, or on standard input. Raises `InputError` with the line of what is wrong."""
    text = check_text(path, read_text(path, MAX_INPUT_BYTES))
    try:
        data = jsonlib.loads(text, parse_constant=_no_number)
        jsonlib.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except jsonlib.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except UnicodeEncodeError:
        raise InputError(f"{path}: a text has half a character (\\ud800 to \\udfff); write the whole one") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deep; flatten it") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: not a JSON object; write one, as in examples/order.json")
    return data


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
