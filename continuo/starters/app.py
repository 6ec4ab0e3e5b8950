"""The command line: `continuo …`, and `python -m continuo.starters …` alike."""

import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError

from continuo.errors import InputError
from continuo.starters.commands.breakers import breakers
from continuo.starters.commands.budget import budget
from continuo.starters.commands.cache import cache
from continuo.starters.commands.costs import costs
from continuo.starters.commands.dead_letters import dead_letters
from continuo.starters.commands.demo import demo
from continuo.starters.commands.dev import dev
from continuo.starters.commands.doctor import doctor
from continuo.starters.commands.explain import explain
from continuo.starters.commands.gateway import gateway
from continuo.starters.commands.init import init
from continuo.starters.commands.keys import keys
from continuo.starters.commands.listing import models, patterns
from continuo.starters.commands.order import order
from continuo.starters.commands.prune import prune
from continuo.starters.commands.recommend import recommend
from continuo.starters.commands.run import run
from continuo.starters.commands.runs import runs
from continuo.starters.commands.schema import schema
from continuo.starters.commands.show import show
from continuo.starters.commands.workers import workers
from continuo.starters.console.hints import hinted
from continuo.starters.console.output import err
from continuo.temporal.leave import leave

app = App(
    name="continuo", help="Multi-model AI patterns as durable Temporal workflows.", version=lambda: version("continuo")
)

for command in (
    run,
    order,
    runs,
    show,
    patterns,
    models,
    explain,
    schema,
    recommend,
    cache,
    costs,
    budget,
    keys,
    breakers,
    dead_letters,
    prune,
    workers,
    gateway,
    dev,
    demo,
    init,
    doctor,
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
