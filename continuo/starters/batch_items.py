"""The items of a batch, read line by line from a file, however large: JSONL, CSV or Parquet."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

from continuo.authoring.prepare import MAX_INPUT_BYTES, validated
from continuo.door.items import FIELDS, item_fields
from continuo.door.request import Line, Request
from continuo.errors import InputError
from continuo.starters.parquet import is_parquet, read_rows

COLUMNS = ("prompt", "system", "id")
"""Those of a CSV and of Parquet that are no data."""

MAX_LINE = 4 * MAX_INPUT_BYTES


def read_items(path: Path, pattern: str, system: str | None) -> Iterator[Line]:
    """Each item's request with the number of its line, or row. `system` is for items that have none of their own.

    Raises `InputError` with the line of what is wrong, when it is reached.
    """
    for line, fields in read_fields(path):
        if system is not None:
            fields = {"system": system, **fields}
        try:
            yield Line(line, validated(Request, pattern=pattern, **fields))
        except InputError as error:
            raise InputError(f"{path}:{line}: {error}") from None


def digest(path: Path, *more: str) -> str:
    """The SHA-256 of the file and of the texts that say how its items are done."""
    check_format(path)
    hashed = hashlib.sha256()
    with _opened(path, "rb") as file:
        while piece := file.read(2**20):
            hashed.update(piece)
    for text in more:
        hashed.update(b"\0" + text.encode())
    return hashed.hexdigest()


def check_format(path: Path) -> None:
    """Raises `InputError` for a file that is not read."""
    if not is_parquet(path) and path.suffix not in (".jsonl", ".ndjson", ".csv"):
        known = "name a file that ends with .jsonl, .ndjson, .csv or .parquet"
        raise InputError(f"{path}: neither JSONL, CSV nor Parquet; {known}")


def read_fields(path: Path, more: tuple[str, ...] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
    """What each item has, with the number of its line, or row. In JSONL it may have `more` fields than an item's.

    Raises `InputError` with the line of what is wrong, when it is reached.
    """
    if is_parquet(path):
        for number, row in read_rows(path):
            own = {name: _words(row[name]) for name in COLUMNS if row.get(name) is not None}
            yield number, _with_data(own, row)
        return
    with _opened(path) as file:
        yield from _csv(path, file) if path.suffix == ".csv" else _jsonl(path, file, (*FIELDS, *more))


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _with_data(own: dict[str, Any], row: Mapping[str, object]) -> dict[str, Any]:
    data = {name: value for name, value in row.items() if name not in COLUMNS}
    return {**own, **({"data": data} if data else {})}


def _opened(path: Path, mode: Literal["r", "rb"] = "r") -> IO[Any]:
    try:
        if mode == "rb":
            return path.open("rb")
        # A CSV may have line ends within a value.
        return path.open(encoding="utf-8-sig", newline="" if path.suffix == ".csv" else "\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a file that exists") from None


def _jsonl(path: Path, file: IO[str], known: tuple[str, ...]) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(_lines(path, file), 1):
        if line.strip():
            try:
                yield number, item_fields(json.loads(line, parse_constant=_no_number), known)
            except json.JSONDecodeError as error:
                raise InputError(f"{path}:{number}: not JSON: {error.msg} at column {error.colno}") from None
            except RecursionError:
                raise InputError(f"{path}:{number}: nested too deep; flatten it") from None
            except ValueError as error:
                raise InputError(f"{path}:{number}: {error}") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"not JSON: {name} is no number of JSON")


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    number = 0
    try:
        while line := file.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise InputError(f"{path}:{number}: the line has more than {MAX_LINE:,} characters; shorten it")
            yield line
    except UnicodeDecodeError:
        raise InputError(f"{path}:{number + 1}: not UTF-8 text, here or soon after; save the file as UTF-8") from None


def _csv(path: Path, file: IO[str]) -> Iterator[tuple[int, dict[str, object]]]:
    csv.field_size_limit(MAX_LINE)
    rows = csv.DictReader(_lines(path, file), strict=True)
    try:
        names = rows.fieldnames or []
        if len({*names}) < len(names) or "" in names:
            raise InputError(f"{path}:1: a column has no name or that of another; name each differently")
        for row in rows:
            # The row may have taken several lines.
            if None in row or None in row.values():
                raise InputError(f"{path}:{rows.line_num}: the row has not {len(names)} values, as the header; mend it")
            yield rows.line_num, _with_data({name: row[name] for name in COLUMNS if row.get(name)}, row)
    except csv.Error as error:
        raise InputError(f"{path}:{rows.reader.line_num}: not CSV: {error}") from None
