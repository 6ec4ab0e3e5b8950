"""`python -m workers --priority standard [--slots 30]`: one pool in the foreground."""

import asyncio
import sys

from cyclopts import App

from continuo.errors import InputError
from continuo.jobs import Priority
from workers.leave import leave
from workers.pool import serve

app = App(name="workers", help="Run one worker pool.")


@app.default
def main(*, priority: Priority = "standard", slots: int | None = None) -> None:
    code = 0
    try:
        asyncio.run(serve(priority, slots))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    leave(code)


app()
