"""`continuo workers`: one pool in the foreground, as production runs each of them."""

from typing import Annotated

from cyclopts import Parameter, validators

from continuo.config.settings import MAX_SLOTS
from continuo.jobs import Priority


async def workers(
    *,
    priority: Priority = "standard",
    slots: Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=MAX_SLOTS))] = None,
    modules: Annotated[tuple[str, ...], Parameter(name="--with", negative=())] = (),
) -> None:
    """Run one worker pool until Ctrl-C or SIGTERM; what is under way then has 5 s to end.

    Parameters
    ----------
    priority
        Whose queue it works on.
    slots
        So many calls at once, in place of CONTINUO_CRITICAL_SLOTS, CONTINUO_STANDARD_SLOTS or CONTINUO_BATCH_SLOTS.
    modules
        A module whose WORKFLOWS and ACTIVITIES, two lists, join the pool; it may be given several times.
    """
    from continuo.workers.pool import serve

    await serve(priority, slots, modules)
