"""`continuo run`: one pattern, one durable run, on a prompt or on data."""

import json as jsonlib
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import uuid4

from cyclopts import Parameter
from pydantic import JsonValue
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from continuo.authoring.files import find_pattern, located
from continuo.authoring.inputs import check_media
from continuo.authoring.prepare import (
    MAX_INPUT_BYTES,
    check_data,
    check_services,
    check_size,
    check_text,
    resolved,
    validated,
)
from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings, environment
from continuo.data import Data
from continuo.errors import InputError
from continuo.jobs import Context, Job, Name, Outcome
from continuo.messages import Message, ModelRequest, content_of
from continuo.parts import Media, Text
from continuo.patterns import Call, Http
from continuo.patterns.walk import specs
from continuo.protection.masking import Masker, secrets
from continuo.starters.console.completion import Runnable
from continuo.starters.console.output import err, told
from continuo.starters.launch import Handle, start, ui_address
from continuo.starters.media import keep, read_media
from continuo.starters.options import RunOptions
from continuo.temporal.connect import connect
from continuo.temporal.telemetry import configure_tracing

NO_MEDIA: Mapping[Media, bytes] = {}


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
    """
    if input == data == "-":
        raise InputError("--input and --data are both -; read one of them from a file")
    options = options or RunOptions()
    media = await read_media({"image": image, "audio": audio, "file": file}, Settings().media_hosts)
    asked = None if (data or media) and prompt is None and input is None else read_prompt(prompt, input)
    given = read_data(data) if data else None
    context = options.context(pattern)
    job = job_of(pattern, context, Settings(), prompt=asked, data=given, system=system, media=tuple(media))
    return await submitted(job, id, options, media)


def job_of(
    pattern: str,
    context: Context,
    settings: Settings,
    *,
    prompt: str | None = None,
    data: dict[str, JsonValue] | None = None,
    system: str | None = None,
    media: Sequence[Media] = (),
) -> Job:
    """The job that runs what `pattern` names on a prompt, on data, or on both; data alone is the prompt too. `media`
    stand before the prompt, or alone.

    Its models are resolved for this environment. Raises `InputError` for whatever cannot run here.
    """
    catalog, environ = load_catalog(settings.catalog), environment()
    model = pattern.removeprefix("model:")
    step = Call(model=model) if model != pattern else find_pattern(pattern, settings.patterns).pattern
    with located(pattern, settings.patterns):
        step = resolved(step, catalog, environ, simulated=settings.simulated)
        if data is None and any(isinstance(spec, Http) for spec in specs(step)):
            raise InputError(f"pattern {pattern!r} acts on data; give it, as in: continuo run {pattern} --data FILE")
        check_data(data or {})
        check_services(step, catalog, environ, data or {})
    text = prompt if prompt is not None else jsonlib.dumps(data, ensure_ascii=False) if data is not None else ""
    content = content_of([*media, Text(text=text)])
    request = ModelRequest(messages=(Message(role="user", content=content),), system=system)
    with located(pattern, settings.patterns):
        check_media(step, request, catalog)
    job = Job(step=step, context=context, request=request, data=data or {})
    check_size(job)
    return job


async def submitted(job: Job, id: str | None, options: RunOptions, media: Mapping[Media, bytes] = NO_MEDIA) -> int:
    """Start the job, or find the run that has its id, and tell of it as the options ask; the exit code.

    `media` are those of its request, which are kept before.
    """
    chosen = run_id(job.context, id)
    settings = Settings()
    masker = Masker(secrets(load_catalog(settings.catalog), environment()))
    client = await connect(configure_tracing("continuo-run", masker))
    await keep(client, settings, media)
    handle = await (start(client, job, id=chosen) if id is None else once(client, job, id=chosen))
    address = ui_address(settings.ui_url, client.namespace, handle)
    return await told(client, handle, job, address, options)


async def once(client: Client, job: Job, *, id: str) -> Handle:
    """Start `job` under `id`, or find the run that has it: one that has answered is not done again."""
    try:
        return await start(client, job, id=id, reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
    except WorkflowAlreadyStartedError as error:
        err.print(f"{id} has been completed before; this is its outcome")
        return client.get_workflow_handle(id, run_id=error.run_id, result_type=Outcome)


def run_id(context: Context, id: str | None) -> str:
    """The workflow id of a run: a new one, or the one that `id` has for this pattern and tenant alone.

    No part but the last can hold a slash, so no two ids are the same by chance.
    """
    name = Path(context.pattern).stem.replace(":", "-")
    return f"{name}-{uuid4()}" if id is None else f"{name}/{context.tenant}/{validated(Named, id=id).id}"


class Named(Data):
    """What a caller calls a run."""

    id: Name


def read_prompt(prompt: str | None, input: str | None) -> str:
    """The prompt given, or the text of the file."""
    if (prompt is None) == (input is None):
        raise InputError('give either a prompt, as in: continuo run support "Where is my order?", or --input FILE')
    text = prompt or "" if input is None else read_text(input)
    return check_text(f"--input {input}" if input else "the prompt", text)


def read_data(path: str) -> dict[str, JsonValue]:
    """The JSON object in a file, or on standard input. Raises `InputError` with the line of what is wrong."""
    text = check_text(path, read_text(path))
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


def read_text(path: str | Path) -> str:
    """The text of a file; `-` is standard input."""
    try:
        with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as file:
            content = file.read(MAX_INPUT_BYTES + 1)
        if len(content) > MAX_INPUT_BYTES:
            raise InputError(f"{path} has more than {MAX_INPUT_BYTES:,} bytes; shorten it")
        return content.decode()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a file that exists") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
