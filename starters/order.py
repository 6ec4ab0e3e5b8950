"""`continuo order`: an order through the saga, once, however often it is submitted."""

import json as jsonlib
from pathlib import Path

from pydantic import JsonValue
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from continuo.catalog import load_catalog
from continuo.errors import InputError
from continuo.jobs import Context, Job, Outcome
from continuo.messages import Message, ModelRequest
from continuo.named import find_pattern
from continuo.prepare import check_services, check_text, resolved
from continuo.settings import Settings, environment
from starters.launch import Handle, start, ui_address
from starters.options import RunOptions
from starters.report import err, told
from starters.run import read_text
from workers.connect import connect
from workers.telemetry import configure_tracing


async def order(
    file: Path,
    *,
    options: RunOptions | None = None,
) -> int:
    """Run an order through the saga: reserve, charge, ship; or undo all of it.

    An order that has been completed is not run again: its outcome is shown. One that failed may be.

    Parameters
    ----------
    file
        The order, a JSON object with an order_id.
    """
    settings = Settings()
    options = options or RunOptions()
    job = order_job(read_order(file), options.context("order"), settings)
    client = await connect(configure_tracing("continuo-order"))
    handle = await submit(client, job)
    address = ui_address(settings.ui_url, client.namespace, handle)
    return await told(client, handle, job, address, options)


def read_order(path: Path) -> dict[str, JsonValue]:
    """The order in a JSON file. Raises `InputError` when it is not a JSON object with an `order_id`."""
    try:
        data = jsonlib.loads(check_text(str(path), read_text(path)))
    except jsonlib.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: an order is a JSON object, as in examples/order.json")
    if not isinstance(data.get("order_id"), str) or not data["order_id"]:
        raise InputError(f"{path}: order_id is missing; add a text that identifies the order")
    return data


def order_job(data: dict[str, JsonValue], context: Context, settings: Settings) -> Job:
    """The job that runs an order through the named pattern of its context."""
    catalog, environ = load_catalog(settings.catalog), environment()
    step = find_pattern(context.pattern, settings.patterns).pattern
    check_services(step, catalog, environ, data)
    return Job(
        step=resolved(step, catalog, environ, simulated=settings.simulated),
        context=context,
        request=ModelRequest(messages=(Message(role="user", content=jsonlib.dumps(data)),)),
        data=data,
    )


async def submit(client: Client, job: Job) -> Handle:
    """Start the order, or find the run that it already has: the order's id is the run's."""
    id = f"order-{job.data['order_id']}"
    try:
        return await start(client, job, id=id, reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
    except WorkflowAlreadyStartedError as error:
        err.print(f"{id} has been completed before; this is its outcome")
        return client.get_workflow_handle(id, run_id=error.run_id, result_type=Outcome)
