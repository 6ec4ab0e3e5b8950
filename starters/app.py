"""The command line: `continuo …`, and `python -m starters …` alike."""

import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError

from continuo.errors import InputError
from starters.breakers import breakers
from starters.budget import budget
from starters.cache import cache
from starters.costs import costs
from starters.dead_letters import dead_letters
from starters.demo import demo
from starters.dev import dev
from starters.explain import explain
from starters.hints import hinted
from starters.listing import models, patterns
from starters.order import order
from starters.prune import prune
from starters.recommend import recommend
from starters.report import err
from starters.run import run
from starters.schema import schema
from starters.workers import workers
from workers.leave import leave

app = App(
    name="continuo", help="Multi-model AI patterns as durable Temporal workflows.", version=lambda: version("continuo")
)

for command in (
    run,
    order,
    patterns,
    models,
    explain,
    schema,
    recommend,
    cache,
    costs,
    budget,
    breakers,
    dead_letters,
    prune,
    workers,
    dev,
    demo,
):
    app.command(command)
app.register_install_completion_command(help="Let bash, zsh or fish complete commands, options and names.")


def checked(arguments: Sequence[str]) -> list[str]:
    """The arguments. Raises `InputError` for one whose bytes are no text: nothing could keep it."""
    for number, argument in enumerate(arguments, 1):
        if any("\ud800" <= char <= "\udfff" for char in argument):
            raise InputError(f"argument {number} is not UTF-8 text; write it as UTF-8, or use --input FILE")
    return list(arguments)


def main() -> None:
    """Run a command and exit: 0 for success, 1 for a failed run, 2 for wrong input, told in one line with the fix."""
    try:
        # A command returns its exit code, --help nothing.
        code = app(checked(sys.argv[1:]), exit_on_error=False, print_error=False, result_action="return_value") or 0
    except (InputError, CycloptsError) as error:
        message = hinted(error, sys.argv[1:]) if isinstance(error, CycloptsError) else str(error)
        err.print(f"error: {' '.join(message.split())}")
        code = 2
    except KeyboardInterrupt:
        code = 130
    leave(code)
