"""`continuo order`: an order through the saga, once, however often it is submitted."""

from pathlib import Path

from continuo.authoring.library import Library
from continuo.errors import InputError
from continuo.starters.commands.run import read_data, requested, submitted
from continuo.starters.options import RunOptions


async def order(
    file: Path,
    *,
    options: RunOptions | None = None,
) -> int:
    """Run an order through the saga: reserve, charge, ship; or undo all of it.

    Short for: continuo run order --data FILE --id ORDER_ID. An order that has been completed is not run again: its
    outcome is shown. One that failed may be.

    Parameters
    ----------
    file
        The order, a JSON object with an order_id.
    """
    data = read_data(str(file))
    id = data.get("order_id")
    if not isinstance(id, str) or not id:
        raise InputError(f"{file}: order_id is missing; add a text that identifies the order")
    return await submitted(Library(), requested(pattern="order", data=data, id=id), options or RunOptions())
