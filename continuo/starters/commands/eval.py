"""`continuo eval`: how well patterns do."""

from cyclopts import App

eval = App(name="eval", help="Score patterns on golden sets, and hold them to what they were.")
eval.command(
    "continuo.starters.commands.eval_replay:replay",
    name="replay",
    help="Run a pattern over a table of what models answered, and tell what it saves and what accuracy that costs.",
)
