"""Parquet by pyarrow, the extra `parquet`: some rows at a time, so that memory stays as it is."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from continuo.errors import InputError

SUFFIXES = (".parquet", ".pq")

TOGETHER = 100
"""Rows that are read at once."""

Row = dict[str, Any]


def is_parquet(path: Path) -> bool:
    """Raises `InputError` where it is, and the extra is missing."""
    if path.suffix not in SUFFIXES:
        return False
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        message = "Parquet needs the extra parquet; pip install 'continuo-patterns[parquet]', or use JSONL or CSV"
        raise InputError(f"{path}: {message}") from None
    return True


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Each row with its number, from 1, as values of JSON: times as ISO 8601 has them, decimals as text.

    Raises `InputError` for what is no Parquet, and for a value that JSON cannot have.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        # Without a buffer for all columns of a row group, which may be all of the file.
        with ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file:
            for portion in file.iter_batches(TOGETHER):
                for row in portion.to_pylist():
                    number += 1
                    yield number, {name: _json(value, f"{path}:{number}", name) for name, value in row.items()}
    except FileNotFoundError:
        raise InputError(f"cannot read {path}: No such file or directory; name a file that exists") from None
    except (ArrowException, OSError) as error:
        raise InputError(f"{path}: not Parquet: {str(error).splitlines()[0]}") from None


@contextmanager
def writing(file: IO[bytes], columns: Mapping[str, str]) -> Iterator[Callable[[Sequence[Row]], None]]:
    """Inside, what writes rows, those of a call as a row group; `columns` has the types of Arrow by their columns."""
    from pyarrow import Table, schema
    from pyarrow.parquet import ParquetWriter

    shape = schema(list(columns.items()))
    with ParquetWriter(file, shape) as writer:
        yield lambda rows: writer.write_table(Table.from_pylist(rows, shape))


def _json(value: object, where: str, column: str) -> Any:
    try:
        return json.loads(json.dumps(value, default=_text, allow_nan=False))
    except (TypeError, ValueError):
        what = f"{str(value)[:40]!r} is no value of JSON; cast the column to text, numbers or lists of these"
        raise InputError(f"{where}: column {column!r}: {what}") from None


def _text(value: object) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError
