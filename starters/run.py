"""`continuo run`: one pattern, one prompt, one durable run."""

import sys
from pathlib import Path
from typing import Annotated
from uuid import uuid4

from cyclopts import Parameter

from continuo.catalog import load_catalog
from continuo.errors import InputError
from continuo.jobs import Job
from continuo.messages import Message, ModelRequest
from continuo.named import find_pattern
from continuo.patterns import Call, Http, Step
from continuo.prepare import check_text, resolved
from continuo.settings import Settings, environment
from continuo.walk import specs
from starters.launch import start, ui_address
from starters.options import RunOptions
from starters.report import told
from workers.connect import connect
from workers.telemetry import configure_tracing


async def run(
    pattern: str,
    prompt: str | None = None,
    *,
    input: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    system: str | None = None,
    options: RunOptions | None = None,
) -> int:
    """Ask one question and wait for the answer; the run goes on if this process does not.

    Parameters
    ----------
    pattern
        A named pattern, a YAML file, or model:ID.
    prompt
        The question.
    input
        Read the question from this file instead; - is standard input.
    system
        Instructions for the model, in place of the pattern's own.
    """
    settings = Settings()
    text = check_text(f"--input {input}" if input else "the prompt", read_prompt(prompt, input))
    options = options or RunOptions()
    job = Job(
        step=load_step(pattern, settings),
        context=options.context(pattern),
        request=ModelRequest(messages=(Message(role="user", content=text),), system=system),
    )
    client = await connect(configure_tracing("continuo-run"))
    name = Path(pattern).stem.replace(":", "-")
    handle = await start(client, job, id=f"{name}-{uuid4()}")
    address = ui_address(settings.ui_url, client.namespace, handle)
    return await told(client, handle, job, address, options)


def read_prompt(prompt: str | None, input: str | None) -> str:
    """The prompt given, or the text of the file."""
    if (prompt is None) == (input is None):
        raise InputError('give either a prompt, as in: continuo run support "Where is my order?", or --input FILE')
    if input is None:
        return prompt or ""
    if input == "-":
        return sys.stdin.read()
    return read_text(Path(input))


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a file that exists") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8") from None


def load_step(pattern: str, settings: Settings) -> Step:
    """The step that `pattern` names, with its models resolved for this environment."""
    catalog, environ = load_catalog(settings.catalog), environment()
    id = pattern.removeprefix("model:")
    step = Call(model=id) if id != pattern else find_pattern(pattern, settings.patterns).pattern
    if any(isinstance(spec, Http) for spec in specs(step)):
        raise InputError(f"pattern {pattern!r} acts on an order; run it as: continuo order FILE")
    return resolved(step, catalog, environ, simulated=settings.simulated)
