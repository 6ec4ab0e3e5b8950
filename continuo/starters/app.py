"""The command line: `continuo …`, and `python -m continuo.starters …` alike."""

import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from cyclopts import App, CycloptsError

from continuo import __version__
from continuo.errors import InputError
from continuo.starters.console.hints import hinted
from continuo.starters.console.terminal import err
from continuo.temporal.leave import leave

COMMANDS = {
    "run:run": "Ask one question, or act on data, and wait for the answer; the run goes on if this process does not.",
    "order:order": "Run an order through the saga: reserve, charge, ship; or undo all of it.",
    "batch:batch": "Run one pattern over many items: begin, list, show, cancel, go on.",
    "eval:eval": "Score patterns on golden sets, and hold them to what they were.",
    "tune:tune": "Calibrate a cascade, or have a route learn, on one half of a table, and try it on the other half.",
    "retire:retire": "Replace a model in your patterns: tell which ask it, try another one beside it, compare.",
    "schedule:schedule": "Run a pattern again and again: create, list, show, pause, trigger, delete.",
    "say:say": "Say something to an agent that runs; it reads that before its next turn.",
    "transcript:transcript": (
        "Show all that was said to an agent and by it, with the calls of its tools, also where its model saw less."
    ),
    "runs:runs": "List the runs, and make the table of them anew.",
    "distill:distill": "Write answers of past runs as examples for fine-tuning, and a card that says what they are.",
    "show:show": "Show a run: its steps with times and costs, its answers, and why each tier gave way.",
    "listing:patterns": "List the named patterns and check each: exit code 2 when one is wrong.",
    "listing:models": "List the models with their prices in USD per 1 M tokens, and what each needs to be used here.",
    "explain:explain": "Draw a pattern with its models, prices and numbers, and say what it takes at worst.",
    "schema:schema": "Print the JSON schema of a pattern file, with which an editor completes and checks it.",
    "recommend:recommend": "Recommend patterns and a deployment, from flags or by asking.",
    "compose:compose": "Compose a pattern from a wish, within limits: checked, explained, estimated and tried.",
    "rate:rate": "Rate answers without knowing what gave them, and tell how far raters agree.",
    "ab:ab": "Compare the variants of a split on what became of their runs, and plan such a comparison.",
    "cache:cache": "List and drop the answers that are kept.",
    "costs:costs": "Tell what the calls cost, and what was saved against a dearer model.",
    "budget:budget": "Tell what each tenant has spent and reserved of its budget today; warn from 70 % and 90 % on.",
    "breakers:breakers": "Show how the providers are; open, close and reset their breakers by hand.",
    "events:events": "List what has happened, follow it as it does, and tell where each subscriber stands.",
    "alerts:alerts": "List how the alerts stand, and look now whether one fires.",
    "mcp:mcp": "List the servers of tools; show what a tool has become, and accept it.",
    "dead_letters:dead_letters": "List, retry and discard the jobs that failed for good.",
    "check:check": "Tell what each stage of the door would do with a text: exit code 1 when it would be refused.",
    "rules:rules": "List the rules that decide before any model, check them, and try them on a text.",
    "reviews:reviews": "List what waits for a person, and decide it.",
    "keys:keys": "Create, list, revoke and rotate the API keys of tenants.",
    "audit:audit": "Verify, show and export what the audit has of each run.",
    "forget:forget": "Erase what the stores and Temporal have of a user; without --yes it is only counted.",
    "prune:prune": "Drop what is past its retention and needed by nothing, as a pool does once a day.",
    "backup:backup": "Copy what the local stack keeps to a folder, while it runs.",
    "restore:restore": "Put a backup into the empty data folder of a stack that does not run.",
    "workers:workers": "Run one worker pool until Ctrl-C or SIGTERM; what is under way then has 5 s to end.",
    "gateway:gateway": "Serve OpenAI's and Anthropic's APIs until Ctrl-C; `continuo keys create` makes API keys.",
    "codec_server:codec_server": "Decode encrypted histories for Temporal's UI and CLI until Ctrl-C.",
    "dev:dev": "Start Temporal, the pools, the gateway, the simulated provider and the shop, until Ctrl-C.",
    "demo:demo": "Answer questions, with a model down and the gateway killed too, and take two orders.",
    "init:init": "Make a project: settings, a pattern, a catalog, tenants, guardrails, examples, a test, a Dockerfile.",
    "doctor:doctor": "Say what is missing here and how to mend it: exit code 1 when something is an error.",
}
"""Each command's module and function with the first line of its help: it is loaded when it is called."""

app = App(
    name="continuo",
    help="Multi-model AI patterns as durable Temporal workflows.",
    # What shows Markdown takes as long to load as all the rest.
    help_format="plaintext",
    version=__version__,
)
for _path, _help in COMMANDS.items():
    _name = _path.partition(":")[2].replace("_", "-")
    app.command(f"continuo.starters.commands.{_path}", name=_name, help=_help)
app.register_install_completion_command(help="Let bash, zsh or fish complete commands, options and names.")


def checked(arguments: Sequence[str]) -> list[str]:
    """The arguments. Raises `InputError` for one whose bytes are no text: nothing could keep it."""
    for number, argument in enumerate(arguments, 1):
        if any("\ud800" <= char <= "\udfff" for char in argument):
            raise InputError(f"argument {number} is not UTF-8 text; write it as UTF-8, or use --input FILE")
    return list(arguments)


def main(loaded: Callable[[], object]) -> None:
    """Run a command and exit: 0 for success, 1 for a failed run, 2 for wrong input, told in one line with the fix.

    `loaded` is called when all that the command needs at its start is there, before it runs.
    """
    try:
        command, arguments, _ = app.parse_args(checked(sys.argv[1:]), exit_on_error=False, print_error=False)
        loaded()
        result = command(*arguments.args, **arguments.kwargs)
        # A command returns its exit code, --help nothing.
        code = (_awaited(result) if isinstance(result, Coroutine) else result) or 0
    except (InputError, CycloptsError) as error:
        message = hinted(error, sys.argv[1:]) if isinstance(error, CycloptsError) else str(error)
        err.print(f"error: {' '.join(message.split())}")
        code = 2
    except KeyboardInterrupt:
        code = 130
    leave(code)


def _awaited(coroutine: Coroutine[Any, Any, int | None]) -> int | None:
    # Loaded here: --help does without.
    import asyncio

    return asyncio.run(coroutine)
