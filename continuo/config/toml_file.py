"""Files in TOML that an operator edits, checked when they are read."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from continuo.errors import InputError

M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The file's tables; `what` it is, such as "catalog", is its setting's name.

    Raises `InputError` naming the file.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        advice = f"set CONTINUO_{what.upper()}, or {what} in continuo.toml, to a file like config/{what}.toml"
        raise InputError(f"no {what} at {path}; {advice}") from None
    except OSError as error:
        raise InputError(f"cannot read the {what} {path}: {error.strerror}; name a file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from None


def checked(kind: type[M], values: Mapping[str, Any], path: Path) -> M:
    """The values of the file `path` as `kind`. Raises `InputError` naming the file and the field."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        # What concerns several lines together is no field's.
        field = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise InputError(": ".join(filter(None, (str(path), field, message)))) from None
