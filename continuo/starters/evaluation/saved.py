"""Evaluations as files of JSON, by a name beside their set, or wherever a person wants them."""

import os
import re
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from continuo.authoring.golden_sets import SetFile
from continuo.errors import InputError
from continuo.evaluation.results import Evaluation
from continuo.text_file import read_text

LAST = "last"
"""The name by which every evaluation is saved."""

MAX_BYTES = 500_000_000


def check_name(name: str) -> str:
    """The name. Raises `InputError` for one that is none of a file."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise InputError(f"{name[:80]!r} is no name of a result; write at most 100 letters, digits, dots, _ and -")
    return name


def write(path: Path, text: str) -> None:
    """Write a file with the folders that it needs; it is there whole or as it was before. Raises `InputError`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; name another file") from None
    finally:
        with suppress(OSError):
            draft.unlink()


def as_json(evaluation: Evaluation) -> str:
    return evaluation.model_dump_json(indent=1) + "\n"


def read(file: SetFile, wanted: str) -> Evaluation:
    """An evaluation by the name that it was saved by, or by its file's. Raises `InputError`."""
    path = Path(wanted) if wanted.endswith(".json") else file.saved(check_name(wanted))
    if not path.is_file():
        fix = f"save one: continuo eval run {file.name} --save NAME"
        raise InputError(f"no results at {path}; {fix}, or name a file that ends with .json")
    try:
        evaluation = Evaluation.model_validate_json(read_text(path, MAX_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {where}: {first['msg']}; write it anew with continuo eval run") from None
    if evaluation.golden_set != file.name:
        raise InputError(f"{path} is of the set {evaluation.golden_set!r}, not of {file.name!r}; name another one")
    return evaluation
