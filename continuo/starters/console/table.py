"""The forms in which a report is printed: for people, as JSON and as CSV."""

import csv as csvlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from continuo.data import Data
from continuo.errors import InputError
from continuo.starters.console.fitted import FittedTable
from continuo.starters.console.terminal import out


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Form:
    """How a report is printed: as a table, unless one of these is chosen."""

    json: Annotated[bool, Parameter(negative=())] = False
    "Print it as JSON, whole."
    csv: Annotated[bool, Parameter(negative=())] = False
    "Print its rows as CSV, with a header."

    def check(self) -> None:
        """Raises `InputError` for both."""
        if self.json and self.csv:
            raise InputError("--json and --csv: give one of them")

    def show(
        self, report: Data, columns: Sequence[str], rows: Sequence[Mapping[str, object]], table: FittedTable
    ) -> None:
        """Print the report; `rows` have the `columns` of the CSV, where what is unknown is left empty."""
        if self.json:
            out.out(report.model_dump_json(indent=2))
        elif self.csv:
            # To the stream itself: RFC 4180 ends a line by CR LF.
            writer = csvlib.DictWriter(sys.stdout, columns)
            writer.writeheader()
            writer.writerows(rows)
        else:
            out.print(table)
