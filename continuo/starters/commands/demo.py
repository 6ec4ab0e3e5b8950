"""`continuo demo`: the main job on real input, on the stack of `continuo dev --supervise`, with simulated models."""

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from continuo.authoring.library import Library
from continuo.config.defaults import DEFAULTS
from continuo.config.settings import Settings
from continuo.door.request import Request
from continuo.errors import InputError
from continuo.jobs import Context, Failure, Outcome
from continuo.starters.commands.run import read_data, requested
from continuo.starters.console.terminal import err, out

if TYPE_CHECKING:
    from continuo.starters.service import Service

Ended = Outcome | Failure
EXAMPLES = DEFAULTS / "examples"
UNDONE = ["create shipment undone", "charge payment undone", "reserve inventory undone"]


async def demo() -> int:
    """Answer questions, with a model down and the gateway killed too, and take two orders.

    Exit code 0 only if every run came to what it should.
    """
    from continuo.door import Door
    from continuo.door.ui import ui_address
    from continuo.starters.console.output import row, runs_table
    from continuo.starters.service import Service
    from continuo.temporal.connect import connect

    # A project may have patterns of the same names.
    library = Library(Settings(simulated=True, patterns=DEFAULTS / "patterns", catalog=DEFAULTS / "catalog.toml"))
    simulator, shop = Service(_address("CONTINUO_SIM_URL")), Service(_address("CONTINUO_SHOP_URL"))
    client = await connect()
    door = Door(client, library)
    table = runs_table()
    addresses: list[str] = []
    wrong: list[str] = []

    async def show(title: str, request: Request, expected: Callable[[Ended], bool]) -> None:
        run = await door.submit(request, Context(tenant="demo"))
        ended = await run.result()
        out.print(f"\n{title}\n  {_summary(ended)}")
        table.add_row(*row(request.pattern_name, ended))
        addresses.append(f"  {title}: {ui_address(library.settings.ui_url, client.namespace, run)}")
        if not expected(ended):
            wrong.append(title)

    question = requested(pattern="support", prompt=(EXAMPLES / "question.txt").read_text(encoding="utf-8"))
    await show("a customer's question", question, lambda ended: _tier(ended) == 1)
    await simulator.put("/_sim/models/sim-premium", outage=True)
    await show("the same, first model down", question, lambda ended: _tier(ended) == 2)
    await simulator.delete("/_sim/models/sim-premium")
    if not await _by_the_gateway(simulator, question.prompt or ""):
        wrong.append("the question that the gateway was asked")
    before = await shop.get("/totals")
    await show("an order", _order("order.json"), lambda ended: isinstance(ended, Outcome))
    sold = await shop.get("/totals")
    await show("an order that no carrier takes", _order("order-antarctica.json"), _compensated)
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


async def _by_the_gateway(simulator: "Service", text: str) -> bool:
    """Ask by OpenAI's own SDK and kill the gateway while the model thinks; whether the answer came, of one call."""
    try:
        from openai import AsyncOpenAI
    except ImportError:
        out.print("\nby the gateway: not shown, since OpenAI's SDK is not here; pip install openai")
        return True
    url, key, pid = (_address(f"CONTINUO_GATEWAY_{name}") for name in ("URL", "KEY", "PID"))
    await simulator.delete("/_sim/calls")
    await simulator.put("/_sim/models/sim-premium", latency=2)
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key) as client, asyncio.timeout(60):
        asking = asyncio.create_task(
            client.chat.completions.create(model="support", messages=[{"role": "user", "content": text}])
        )
        calls = 0
        while calls == 0 and not asking.done():
            await asyncio.sleep(0.05)
            calls = len((await simulator.get("/_sim/calls"))["calls"])
        os.kill(int(pid), signal.SIGKILL)
        completion = await asking
    await simulator.delete("/_sim/models/sim-premium")
    calls = len((await simulator.get("/_sim/calls"))["calls"])
    out.print(f"\nby OpenAI's SDK, the gateway killed meanwhile\n  {completion.choices[0].message.content}")
    out.print(f"  the model was called {calls} time(s)")
    return bool(completion.choices[0].message.content) and calls == 1


def _order(file: str) -> Request:
    """The order in the file, under an id of its own: the same one would not be run twice."""
    data = read_data(str(EXAMPLES / file))
    id = f"{data['order_id']}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    return requested(pattern="order", data={**data, "order_id": id}, id=id)


def _address(variable: str) -> str:
    try:
        return os.environ[variable]
    except KeyError:
        raise InputError(f"{variable} is not set; run the demo as: continuo dev --supervise -- continuo demo") from None


def _summary(ended: Ended) -> str:
    if isinstance(ended, Failure):
        return ended.message
    if ended.checkpoints:
        return ", ".join(checkpoint.name for checkpoint in ended.checkpoints)
    return ended.text


def _tier(ended: Ended) -> int | None:
    return ended.tier if isinstance(ended, Outcome) and ended.served_by == "model" else None


def _compensated(ended: Ended) -> bool:
    names = [checkpoint.name for checkpoint in ended.checkpoints]
    return isinstance(ended, Failure) and ended.type == "SagaFailed" and names[-3:] == UNDONE


def _kept(totals: dict[str, int]) -> int:
    """What the shop took and did not give back, in cents."""
    return totals["charged_cents"] - totals["refunded_cents"]
