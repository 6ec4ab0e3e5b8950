"""`continuo doctor`: what is missing here, and how to mend it."""

import json as jsonlib
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from continuo.authoring.library import Library
from continuo.config.catalog import SHIPPED, load_catalog
from continuo.errors import InputError
from continuo.protection.masking import Masker, secrets
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out
from continuo.starters.doctor.check import Result, run_checks, wrong

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


async def doctor(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Say what is missing here and how to mend it: exit code 1 when something is an error.

    It never shows a key.

    Parameters
    ----------
    json
        Print the results as JSON.
    """
    results = await _results()
    if json:
        out.out(jsonlib.dumps([result.model_dump() for result in results], indent=2))
    else:
        table = FittedTable(Column("check"), Column("status"), Column("message"), Column("what to do"))
        for result in results:
            table.add_row(result.name, Text(result.status, _COLOURS[result.status]), result.message, result.fix)
        out.print(table)
    return 1 if any(result.status == "error" for result in results) else 0


async def _results() -> list[Result]:
    try:
        library = Library()
    except InputError as error:
        # Every check needs the settings.
        status, message, fix = wrong(error)
        return [Result(name="settings", status=status, message=message, fix=fix)]
    try:
        masker = library.masker
    except InputError:
        masker = Masker(secrets(load_catalog(SHIPPED), library.environ))
    from continuo.starters.doctor.checks import CHECKS

    return await run_checks(CHECKS, library, masker.text)
