"""Named patterns: one YAML file each, checked with the file, the line and the nearest valid word."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from pydantic import ValidationError
from yaml.reader import ReaderError

from continuo.data import Data
from continuo.errors import InputError, UnknownName, unknown
from continuo.mistakes import line_of, mistake, twice
from continuo.patterns import Step


class NamedPattern(Data):
    """A file in `patterns/`: what it is for, and the pattern itself."""

    description: str
    pattern: Step


def find_pattern(name: str, folder: Path) -> NamedPattern:
    """The pattern of that name in `folder`, or in the YAML file that `name` is a path to. Raises `InputError`."""
    return load_pattern(_file(name, folder))


@contextmanager
def located(name: str, folder: Path) -> Iterator[None]:
    """Tell of a model or service that is unknown with the file and the line where the pattern asks for it.

    `name` is as for `find_pattern`, or `model:ID`, which no file has.
    """
    try:
        yield
    except UnknownName as error:
        if name.startswith("model:"):
            raise
        path = _file(name, folder)
        line = line_of(error.what, error.name, yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))
        raise InputError(f"{path}:{line}: {error}" if line else str(error)) from None


def _file(name: str, folder: Path) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    known = {path.stem: path for path in folder.glob("*.yaml")}
    if name not in known:
        raise unknown("pattern", name, known)
    return known[name]


def load_pattern(path: Path) -> NamedPattern:
    """Read one pattern file. Raises `InputError` with the file, the line, the field and the fix."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(
            f"{path}:{line}: not YAML: character #x{error.character:02x} is not allowed; remove it"
        ) from None
    if (key := twice(node)) is not None:
        raise InputError(f"{path}:{key.start_mark.line + 1}: {key.value!r} stands there twice; keep one")
    try:
        return NamedPattern.model_validate(value)
    except ValidationError as error:
        line, field, advice = mistake(error, NamedPattern, node)
        raise InputError(f"{path}:{line}: {field}: {advice}") from None
