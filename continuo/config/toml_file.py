"""Files in TOML that an operator edits, checked when they are read."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from continuo.errors import InputError

M = TypeVar("M", bound=BaseModel)


def read_file(kind: type[M], path: Path, what: str) -> M:
    """The file's content; `what` it is, such as "catalog", names the shipped file and the variable.

    Raises `InputError` naming the file and the field.
    """
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        advice = f"set CONTINUO_{what.upper()} to a file like config/{what}.toml"
        raise InputError(f"no {what} at {path}; {advice}") from None
    except OSError as error:
        raise InputError(f"cannot read the {what} {path}: {error.strerror}; name a file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{path}: {'.'.join(map(str, first['loc']))}: {message}") from None
