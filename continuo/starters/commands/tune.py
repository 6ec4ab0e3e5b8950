"""`continuo tune`: what of a pattern follows from a table of what models answered."""

import asyncio
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

from continuo.authoring.edited import with_field
from continuo.authoring.files import is_file, pattern_files
from continuo.config.defaults import DEFAULTS
from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.evaluation.replay import answerable
from continuo.evaluation.table import read_table
from continuo.starters.commands.eval_replay import sentences
from continuo.starters.console.completion import Runnable
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import err, out
from continuo.text_file import read_text

if TYPE_CHECKING:
    # It loads numpy.
    from continuo.evaluation.tuning import Curve

Flag = Annotated[bool, Parameter(negative=())]

BAR = 30
"""Characters of a bar for all that could be saved."""


SETTING = 40
"""Characters of a setting that are shown in a table."""


async def tune(
    pattern: Runnable,
    *,
    table: Path,
    max_loss: Annotated[float, Parameter(validator=validators.Number(gte=0, lte=100))] = 1.0,
    apply: Flag = False,
    json: Flag = False,
) -> int:
    """Calibrate a cascade, or have a route learn, on one half of a table, and try it on the other half.

    Parameters
    ----------
    pattern
        A named pattern of your own, or a YAML file: with one cascade of calls, or one route to calls.
    table
        What models answered to prompts, as `continuo eval replay` has it.
    max_loss
        So many points of the dearest model's accuracy may be lost, as far as the half that is trained on can tell.
    apply
        Write the change into the pattern's file, which is only shown otherwise. Not where the other half shows a
        significant loss of more than may be lost.
    json
        Print the curve as JSON.
    """
    from continuo.evaluation.routing import learned_route, route_of
    from continuo.evaluation.tuning import cascade_of, gated, tuned_cascade
    from continuo.starters.replaying import as_in_table, table_project

    path = _file(pattern)
    every = await asyncio.to_thread(read_table, table)
    with table_project(every) as library:
        step = as_in_table(library.step(str(path)))
    if cascade_of(step):
        kind, field, tuned = "cascade", "thresholds", tuned_cascade
    elif route_of(step):
        kind, field, tuned = "route", "by", learned_route
    else:
        what = "neither one cascade of two to four calls, nor one route to calls"
        raise InputError(f"{pattern}: it has {what}; name a pattern that has one of them")
    questions = answerable(step, every)
    curve = await asyncio.to_thread(tuned, step, questions, max_loss / 100)
    if json:
        out.out(curve.model_dump_json(indent=2))
    else:
        out.print(_table(curve))
    if curve.chosen is None:
        err.print(f"none lost at most {max_loss:g} points in training: allow more with --max-loss, or see other models")
        return 1
    before = read_text(path, 10**6)
    after = with_field(before, kind, field, curve.chosen.setting)
    if not json:
        for line in sentences(curve.chosen.test):
            out.print(line)
        for line in difflib.unified_diff(
            before.splitlines(), after.splitlines(), str(path), str(path), lineterm="", n=1
        ):
            out.out(line)
    verdict = await asyncio.to_thread(gated, curve.chosen, questions, max_loss / 100)
    for finding in verdict.findings:
        err.print(
            f"gate: {finding.name} on the other half, against {curve.chosen.test.dearest_model}: {finding.reason}"
        )
    if apply and not verdict.passed:
        err.print(f"{path} is not changed: allow more with --max-loss, or tune by more questions")
        return 1
    if apply:
        try:
            path.write_text(after, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}") from None
        err.print(f"{path} is changed")
    else:
        err.print("nothing is changed; write it with --apply")
    return 0


def _file(pattern: str) -> Path:
    """The file that a tuned pattern is written to. Raises `InputError` where that is none of the user's own."""
    if is_file(pattern):
        return Path(pattern).resolve()
    path = pattern_files(Settings().patterns).get(pattern)
    if path is None or path.is_relative_to(DEFAULTS):
        raise InputError(
            f"{pattern!r} is no pattern of your own; name its YAML file, or copy it into your patterns first"
        )
    return path.resolve()


def _table(curve: "Curve") -> FittedTable:
    table = FittedTable(
        Column("setting"),
        Column("lost in training", number=True, rank=1),
        Column("lost", number=True),
        Column("saved", number=True),
        Column("beyond random", number=True),
        Column("", rank=2),
    )
    for point in curve.points:
        test = point.test
        beyond = "" if test.beyond_mix is None else f"{test.beyond_mix * 100:+.1f}"
        bar = "█" * round(BAR * max(0.0, test.saved)) + (" chosen" if point == curve.chosen else "")
        lost = (f"{point.lost_in_training * 100:.1f}", f"{test.lost * 100:.1f}")
        setting = point.setting if len(point.setting) <= SETTING else "learned"
        table.add_row(setting, *lost, f"{test.saved:.1%}", beyond, bar)
    return table
