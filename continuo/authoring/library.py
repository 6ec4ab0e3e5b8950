"""What there is to run here: the catalog, the named patterns and the tenants."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from continuo.authoring.files import NamedPattern, is_file, load_pattern, located, pattern_files
from continuo.authoring.functions import Functions
from continuo.authoring.prepare import resolved
from continuo.config.catalog import Catalog, load_catalog
from continuo.config.code import callable_modules
from continuo.config.followed import Followed
from continuo.config.settings import Settings, environment
from continuo.config.tenants import Tenant, Tenants, load_tenants
from continuo.errors import unknown
from continuo.patterns import Call, Step
from continuo.protection.masking import LONG, Masker, secrets

RESOLVED_FOR = 30.0
"""Seconds for which a resolved pattern is kept: so late is it noticed that a local model's server starts or ends."""


class Resolved(NamedTuple):
    """A `step` that was resolved, what it was made from, and until when it holds (monotonic seconds)."""

    step: Step
    origin: Step
    catalog: Catalog
    until: float


class Library:
    """Each file is read when it is first needed, and again when it has changed. Any number of threads may look.

    A look may read a file, or try whether a local model's server listens (0.2 s): in an event loop, look in a thread.
    """

    def __init__(self, settings: Settings | None = None, environ: Mapping[str, str] | None = None) -> None:
        """The defaults are this process's own. Raises `InputError` for a wrong setting."""
        self.settings = settings or Settings()
        self.environ = environment() if environ is None else environ
        self._masker = Masker(())
        self._data_masker = Masker((), LONG)
        self._catalog = Followed(self.settings.catalog, self._load_catalog)
        self._tenants = Followed(self.settings.tenants, load_tenants)
        self._files = Followed(self.settings.patterns, pattern_files)
        self._patterns: dict[Path, Followed[NamedPattern]] = {}
        self._resolved: dict[str, Resolved] = {}

    @property
    def catalog(self) -> Catalog:
        return self._catalog.current()

    @property
    def tenants(self) -> Tenants:
        return self._tenants.current()

    async def catalog_with(
        self, model: str | None = None, service: str | None = None, mcp: str | None = None
    ) -> Catalog:
        """The catalog, in an event loop. It is looked at anew where it has no such model, service or server."""
        catalog = await self._catalog.off_loop()
        wanted = ((model, catalog.models), (service, catalog.services), (mcp, catalog.mcp))
        if all(name is None or name in there for name, there in wanted):
            return catalog
        return await self._catalog.off_loop(at_once=True)

    async def tenant(self, name: str) -> Tenant:
        """What a tenant may, in an event loop."""
        return (await self._tenants.off_loop()).of(name)

    @property
    def masker(self) -> Masker:
        """Knows every secret that a catalog's providers and services have had here since the library is there."""
        self._catalog.current()
        return self._masker

    @property
    def data_masker(self) -> Masker:
        """The same for what programs read."""
        self._catalog.current()
        return self._data_masker

    @cached_property
    def functions(self) -> Functions:
        """Those that patterns may call here; each is imported when it is first looked for, and then stays as it is."""
        return Functions(callable_modules(self.settings.code))

    def names(self) -> list[str]:
        """The names of the patterns. Raises `InputError` where there is no folder of patterns."""
        return list(self._files.current())

    def named(self, pattern: str) -> NamedPattern:
        """What a pattern's file says; `pattern` is a name or the path of a YAML file. Raises `InputError`."""
        path = self._file(pattern)
        return self._patterns.setdefault(path, Followed(path, load_pattern)).current()

    def step(self, pattern: str | Step) -> Step:
        """A pattern whose models are those that answer here; a text is a name, a path of a YAML file, or `model:ID`.

        Raises `InputError` for one that is unknown, wrong, or cannot run here.
        """
        if not isinstance(pattern, str):
            return self._resolve(pattern, self.catalog)
        origin = Call(model=pattern[len("model:") :]) if _is_model(pattern) else self.named(pattern).pattern
        catalog, known = self.catalog, self._resolved.get(pattern)
        if known is not None and known.catalog is catalog and time.monotonic() < known.until and origin == known.origin:
            return known.step
        with self.located(pattern):
            step = self._resolve(origin, catalog)
        self._resolved[pattern] = Resolved(step, origin, catalog, time.monotonic() + RESOLVED_FOR)
        return step

    @contextmanager
    def located(self, pattern: str | Step) -> Iterator[None]:
        """Inside, an unknown model or service is reported with the file and the line where the pattern names it."""
        if not isinstance(pattern, str) or _is_model(pattern):
            yield
        else:
            with located(self._file(pattern)):
                yield

    def _load_catalog(self, path: Path) -> Catalog:
        catalog = load_catalog(path)
        # Before anybody sends them.
        for masker in (self._masker, self._data_masker):
            masker.learn(secrets(catalog, self.environ))
        return catalog

    def _resolve(self, step: Step, catalog: Catalog) -> Step:
        return resolved(step, catalog, self.environ, simulated=self.settings.simulated)

    def _file(self, pattern: str) -> Path:
        if is_file(pattern):
            return Path(pattern)
        files = self._files.current()
        if pattern not in files:
            raise unknown("pattern", pattern, files)
        return files[pattern]


def _is_model(pattern: str) -> bool:
    return pattern.startswith("model:")
