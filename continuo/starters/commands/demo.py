"""`continuo demo`: the main job on real input, on the stack that `continuo dev` runs, with simulated models."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

from temporalio.client import Client

from continuo.config.settings import ROOT, Settings
from continuo.errors import InputError
from continuo.jobs import Context, Failure, Job, Outcome
from continuo.starters.commands.run import job_of, once, read_data, read_text, run_id
from continuo.starters.console.output import err, out, row, runs_table
from continuo.starters.launch import result, start, ui_address
from continuo.starters.service import Service
from continuo.temporal.connect import connect

Found = Outcome | Failure
EXAMPLES = ROOT / "examples"
UNDONE = ["create shipment undone", "charge payment undone", "reserve inventory undone"]


async def demo() -> int:
    """Answer a question, answer it with the first model down, and take two orders; `make demo` runs it.

    Exit code 0 only if every run came to what it should.
    """
    settings = Settings(simulated=True)
    simulator, shop = Service(_address("CONTINUO_SIM_URL")), Service(_address("CONTINUO_SHOP_URL"))
    client = await connect()
    table = runs_table()
    addresses: list[str] = []
    wrong: list[str] = []

    async def show(title: str, job: Job, expected: Callable[[Found], bool]) -> None:
        found, address = await _run(client, job, settings)
        out.print(f"\n{title}\n  {_told(found)}")
        table.add_row(*row(job.context.pattern, found))
        addresses.append(f"  {title}: {address}")
        if not expected(found):
            wrong.append(title)

    question = _question(settings)
    await show("a customer's question", question, lambda found: _tier(found) == 1)
    await simulator.put("/_sim/models/sim-premium", outage=True)
    await show("the same, first model down", question, lambda found: _tier(found) == 2)
    await simulator.delete("/_sim/models/sim-premium")
    before = await shop.get("/totals")
    await show("an order", _order("order.json", settings), lambda found: isinstance(found, Outcome))
    sold = await shop.get("/totals")
    await show("an order that no carrier takes", _order("order-antarctica.json", settings), _compensated)
    after = await shop.get("/totals")
    await simulator.aclose()
    await shop.aclose()

    out.print()
    out.print(table)
    out.print("Simulated models answered: nothing was spent, the costs are made up from made-up prices.")
    out.print("\nEach run in Temporal's UI, while the stack is up; `continuo dev` starts it again:")
    out.print("\n".join(addresses))
    if _kept(sold) - _kept(before) != 7400 or _kept(after) != _kept(sold) or after["stock"] != sold["stock"]:
        wrong.append(f"the shop's books: {before} {sold} {after}")
    for title in wrong:
        err.print(f"error: not as it should be: {title}")
    return 1 if wrong else 0


async def _run(client: Client, job: Job, settings: Settings) -> tuple[Found, str]:
    order_id = job.data.get("order_id")
    id = run_id(job.context, str(order_id) if order_id else None)
    handle = await (once(client, job, id=id) if order_id else start(client, job, id=id))
    return await result(handle), ui_address(settings.ui_url, client.namespace, handle)


def _question(settings: Settings) -> Job:
    text = read_text(EXAMPLES / "question.txt")
    return job_of("support", Context(pattern="support", tenant="demo"), settings, prompt=text)


def _order(file: str, settings: Settings) -> Job:
    """The order in the file, under an id of its own: the same one would not be run twice."""
    data = read_data(str(EXAMPLES / file))
    data["order_id"] = f"{data['order_id']}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    return job_of("order", Context(pattern="order", tenant="demo"), settings, data=data)


def _address(variable: str) -> str:
    try:
        return os.environ[variable]
    except KeyError:
        raise InputError(f"{variable} is not set; run the demo as: continuo dev -- continuo demo") from None


def _told(found: Found) -> str:
    if isinstance(found, Failure):
        return found.message
    if found.checkpoints:
        return ", ".join(checkpoint.name for checkpoint in found.checkpoints)
    return found.text


def _tier(found: Found) -> int | None:
    return found.tier if isinstance(found, Outcome) and found.served_by == "model" else None


def _compensated(found: Found) -> bool:
    names = [checkpoint.name for checkpoint in found.checkpoints]
    return isinstance(found, Failure) and found.type == "SagaFailed" and names[-3:] == UNDONE


def _kept(totals: dict[str, int]) -> int:
    """What the shop took and did not give back, in cents."""
    return totals["charged_cents"] - totals["refunded_cents"]
