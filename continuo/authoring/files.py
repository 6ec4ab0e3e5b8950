"""Named patterns: one YAML file each, checked with the file, the line and the nearest valid word."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError
from yaml.reader import ReaderError

from continuo.authoring.bounded_yaml import compose, construct
from continuo.authoring.mistakes import line_of, mistake, twice
from continuo.config.defaults import DEFAULTS
from continuo.data import Data
from continuo.errors import InputError, UnknownName
from continuo.patterns import Step
from continuo.text_file import read_text


class NamedPattern(Data):
    """A file in `patterns/`: what it is for, and the pattern itself."""

    description: str
    pattern: Step


MAX_FILE_BYTES = 1_000_000

D = TypeVar("D", bound=Data)


def is_file(pattern: str) -> bool:
    """Whether a pattern is given by the path of its file, and not by its name."""
    return pattern.endswith((".yaml", ".yml"))


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Inside, an unknown model or service is reported with the line where the pattern in the file `path` names it."""
    try:
        yield
    except UnknownName as error:
        try:
            line = line_of(error.what, error.name, compose(read_text(path, MAX_FILE_BYTES), str(path)))
        except yaml.YAMLError:
            # It has changed since it was read.
            line = None
        raise InputError(f"{path}:{line}: {error}" if line else str(error)) from None


def pattern_files(folder: Path) -> dict[str, Path]:
    """Files by the names of their patterns, in the order of these: the shipped ones, and those in `folder`, which win.

    Raises `InputError` where there is no such folder.
    """
    if not folder.is_dir():
        advice = "set CONTINUO_PATTERNS, or patterns in continuo.toml, to one like patterns/"
        raise InputError(f"no folder of patterns at {folder}; {advice}")
    files = [*(DEFAULTS / "patterns").glob("*.yaml"), *folder.glob("*.yaml")]
    return dict(sorted({path.stem: path for path in files}.items()))


def load_pattern(path: Path) -> NamedPattern:
    """Read one pattern file. Raises `InputError` with the file, the line, the field and the fix."""
    return load_yaml(path, NamedPattern)


def load_yaml(path: Path, kind: type[D]) -> D:
    """Read a file of YAML as one of `kind`. Raises `InputError` with the file, the line, the field and the fix."""
    return read_yaml(read_text(path, MAX_FILE_BYTES), str(path), kind)


def read_yaml(text: str, name: str, kind: type[D]) -> D:
    """The same of a text, which mistakes call by its `name`."""
    try:
        node = compose(text, name)
        if (key := twice(node)) is not None:
            raise InputError(f"{name}:{key.start_mark.line + 1}: {key.value!r} stands there twice; keep one")
        value = None if node is None else construct(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{name}:{line}: not YAML: {error.problem}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(
            f"{name}:{line}: not YAML: character #x{error.character:02x} is not allowed; remove it"
        ) from None
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        # Composed anew, since in the nodes that were read the merges are written out.
        line, field, advice = mistake(error, kind, compose(text, name))
        raise InputError(f"{name}:{line}: {field}: {advice}") from None
