"""The environment of a process, whose secrets may also come from files and commands, and change while it runs."""

import logging
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from pathlib import Path
from threading import Lock
from typing import Literal
from weakref import WeakMethod

from dotenv import dotenv_values

from continuo.config.followed import Followed
from continuo.config.sources import WAYS, Source, Unread, Way, readable
from continuo.errors import InputError

# Not structlog: a command that shows a result has its standard output for that alone.
log = logging.getLogger(__name__)

Origin = Way | Literal["environment", ".env"]

Learn = Callable[[Mapping[str, str]], None]


class Environment(Mapping[str, str]):
    """Variables over those of a `.env` file. In each of the two a `NAME` that is not set, or empty, has as its value
    the content of the file that `NAME_FILE` names, else what the command `NAME_COMMAND` prints.

    A file or a command is read when its name is first looked up, which may take its time, and then by `read_again`
    alone. Any number of threads may look. Looking up raises `InputError` for a file or a command that is wrong.
    """

    def __init__(self, variables: Mapping[str, str], file: Path) -> None:
        self._variables = variables
        self._folder = file.parent
        self._file = Followed(file, _read)
        self._written: Mapping[str, str] = {}
        self._values: dict[Source, str | None] = {}
        self._before: Mapping[Source, str | None] = {}
        self._looking, self._changing = Lock(), Lock()
        self._learning: list[WeakMethod[Learn]] = []
        self.look()

    def __getitem__(self, name: str) -> str:
        return self._lookup(name)[1]

    def __iter__(self) -> Iterator[str]:
        names = {*self._variables, *self._written}
        mentioned = {name.removesuffix(f"_{way.upper()}") for name in names for way in WAYS}
        return (name for name in names | mentioned if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def origin(self, name: str) -> Origin:
        """Where the value is from. Raises `KeyError` for a name that has none."""
        return self._lookup(name)[0]

    def learned_by(self, learn: Learn) -> None:
        """Have `learn`, a method, called with what this becomes whenever it changes, before anybody else sees that. It
        may raise `InputError`, which is logged."""
        self._learning = [*(one for one in self._learning if one() is not None), WeakMethod(learn)]

    def look(self) -> None:
        """Look whether `.env` has changed. Raises `InputError` for one that was never right."""
        with self._changing:
            changed = self._anew()
            if changed._written is not self._written:
                self._become(changed)

    def read_again(self) -> None:
        """Read `.env` again, and all files and commands that were looked up. What cannot be read stays as it was, with
        a line in the log."""
        with self._changing:
            changed, before = self._anew(), dict(self._values)
            changed._before, changed._values, changed._looking = before, {}, Lock()
            for name in {source.name for source in before}:
                try:
                    changed.get(name)
                except InputError as error:
                    log.warning("%s", error)
            # Those that were first looked up meanwhile.
            changed._values |= {source: value for source, value in dict(self._values).items() if source not in before}
            self._become(changed)

    def _anew(self) -> "Environment":
        changed = copy(self)
        changed._written = self._file.current(at_once=True)
        return changed

    def _become(self, changed: "Environment") -> None:
        for learn in self._learning:
            try:
                if (method := learn()) is not None:
                    method(changed)
            except InputError as error:
                log.warning("%s", error)
        self._written, self._values = changed._written, changed._values

    def _lookup(self, name: str) -> tuple[Origin, str]:
        layers: tuple[tuple[Origin, Mapping[str, str], Path], ...] = (
            ("environment", self._variables, Path()),
            (".env", self._written, self._folder),
        )
        for origin, variables, folder in layers:
            value = variables.get(name)
            if value:
                return origin, value
            for way in WAYS:
                text = variables.get(f"{name}_{way.upper()}")
                read = self._value(Source(name, way, text, folder)) if text else None
                if read is not None:
                    return way, read
            if value is not None:
                return origin, value
        raise KeyError(name)

    def _value(self, source: Source) -> str | None:
        values = self._values
        if source not in values:
            with self._looking:
                if source not in values:
                    values[source] = self._read(source)
        return values[source]

    def _read(self, source: Source) -> str | None:
        before = self._before.get(source)
        try:
            return source.read()
        except InputError as error:
            if source not in self._before:
                raise
            why = str(error)
        except Unread as error:
            why = f"{source.variable}: {error}"
        log.warning("%s", why if before is None else f"{why}; what was read before stays")
        return before


def _read(file: Path) -> Mapping[str, str]:
    with readable(".env"):
        return {name: value for name, value in dotenv_values(file).items() if value is not None}
