"""What there is to run here: the catalog, the named patterns and the tenants."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from continuo.authoring.files import NamedPattern, is_file, load_pattern, located, pattern_files
from continuo.authoring.functions import Functions
from continuo.authoring.prepare import resolved
from continuo.authoring.whole import filled, parts
from continuo.config.alerts import Alerts, load_alerts
from continuo.config.catalog import Catalog, load_catalog
from continuo.config.code import callable_modules
from continuo.config.environment import Environment
from continuo.config.events import Subscribers, load_events
from continuo.config.followed import Followed
from continuo.config.guardrails import Guardrails, load_guardrails
from continuo.config.settings import Settings, environment
from continuo.config.tenants import Tenant, Tenants, load_tenants
from continuo.errors import InputError, unknown
from continuo.patterns import Call, Step
from continuo.protection.masking import LONG, Masker, secrets

if TYPE_CHECKING:
    # Where there are no rules it is not loaded.
    from continuo.decisions.rules import RuleBook

RESOLVED_FOR = 30.0
"""Seconds for which a resolved pattern is kept: so late is it noticed that a local model's server starts or ends."""


class Resolved(NamedTuple):
    """A `step` that was resolved, what it was made from, and until when it holds (monotonic seconds). `parts` are the
    patterns that it names."""

    step: Step
    origin: Step
    parts: dict[str, Step]
    catalog: Catalog
    tenants: Tenants
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
        self._loaded: Catalog | None = None
        if isinstance(self.environ, Environment):
            self.environ.learned_by(self._learn)
        self._catalog = Followed(self.settings.catalog, self._load_catalog)
        self._tenants = Followed(self.settings.tenants, load_tenants)
        self._guardrails = Followed(self.settings.guardrails, self._load_guardrails)
        self._rules = self.settings.rules and Followed(self.settings.rules, self._load_rules)
        self._events = self.settings.events and Followed(self.settings.events, load_events)
        self._alerts = Followed(self.settings.alerts, load_alerts)
        self._files = Followed(self.settings.patterns, pattern_files)
        self._patterns: dict[Path, Followed[NamedPattern]] = {}
        self._resolved: dict[str, Resolved] = {}

    @property
    def catalog(self) -> Catalog:
        return self._catalog.current()

    @property
    def tenants(self) -> Tenants:
        return self._tenants.current()

    @property
    def guardrails(self) -> Guardrails:
        return self._guardrails.current()

    @property
    def rules(self) -> "RuleBook | None":
        """The rules that decide before any model; None where there are none."""
        return self._rules.current() if self._rules else None

    @property
    def events(self) -> Subscribers:
        return self._events.current() if self._events else Subscribers()

    @property
    def alerts(self) -> Alerts:
        return self._alerts.current()

    def load(self) -> None:
        """Read what is needed before the first call. Raises `InputError` for what is wrong in a file."""
        _ = self.catalog, self.tenants, self.rules

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
        """Knows every secret that a catalog's providers and services have here, and the last ones that they had."""
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
            return self._whole(pattern, pattern, self.catalog, self.tenants)[0]
        origin = Call(model=pattern[len("model:") :]) if _is_model(pattern) else self.named(pattern).pattern
        catalog, tenants, known = self.catalog, self.tenants, self._resolved.get(pattern)
        if (
            known is not None
            and (known.catalog is catalog and known.tenants is tenants)
            and time.monotonic() < known.until
            and origin == known.origin
            and all(self.named(name).pattern == part for name, part in known.parts.items())
        ):
            return known.step
        step, named = self._whole(pattern, origin, catalog, tenants)
        self._resolved[pattern] = Resolved(step, origin, named, catalog, tenants, time.monotonic() + RESOLVED_FOR)
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
        self._loaded = catalog = load_catalog(path)
        self._learn(self.environ)
        return catalog

    def _learn(self, environ: Mapping[str, str]) -> None:
        """Know the secrets before anybody sends them."""
        if self._loaded is not None:
            known = secrets(self._loaded, environ)
            for masker in (self._masker, self._data_masker):
                masker.learn(known)

    def _whole(
        self, pattern: str | Step, origin: Step, catalog: Catalog, tenants: Tenants
    ) -> tuple[Step, dict[str, Step]]:
        """What `pattern` is, resolved, with all that its `origin` names in its place; and these patterns."""

        def read(name: str, holder: str | None) -> Step:
            with self.located(holder or pattern):
                if name not in (known := self.names()):
                    raise unknown("pattern", name, known)
            return self.named(name).pattern

        with self.located(pattern):
            named = parts(origin, read)
        whole: dict[str, Step] = {}
        for name, part in named.items():
            with self.located(name):
                whole[name] = self._resolve(filled(part, whole), catalog, tenants)
        with self.located(pattern):
            return self._resolve(filled(origin, whole), catalog, tenants), named

    def _load_rules(self, path: Path) -> "RuleBook":
        from continuo.config.rules import load_rules
        from continuo.decisions.rule_checks import check_reachable
        from continuo.decisions.rules import RuleBook

        rules = load_rules(path)
        try:
            book = RuleBook(rules)
            check_reachable(book)
            for rule in book.rules:
                if rule.pattern is not None:
                    self._check_known(rule.name, rule.pattern)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        return book

    def _load_guardrails(self, path: Path) -> Guardrails:
        guardrails = load_guardrails(path)
        try:
            if guardrails.needs_model:
                # It takes long to load what recognises, and commands that ask nothing need none of it.
                from continuo.guardrails.recognisers.presidio import model_package

                model_package()
            for model in guardrails.classifiers:
                catalog = self._catalog.current(at_once=True)
                if model not in (known := {*catalog.models, *catalog.aliases}):
                    raise InputError(f"classifier: {unknown('model', model, known)}")
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        return guardrails

    def _check_known(self, rule: str, pattern: str) -> None:
        """Raise `InputError` for what is neither a named pattern nor a model of the catalog, as these are now: what a
        rule names may have been added with it."""
        what, name, known = "pattern", pattern, set(self._files.current(at_once=True))
        if _is_model(pattern):
            catalog = self._catalog.current(at_once=True)
            what, name, known = "model", pattern[len("model:") :], {*catalog.models, *catalog.aliases}
        if name not in known:
            raise InputError(f"rule {rule!r}: {unknown(what, name, known)}")

    def _resolve(self, step: Step, catalog: Catalog, tenants: Tenants) -> Step:
        simulated, groups, notify = self.settings.simulated, tenants.groups, tenants.notify
        return resolved(step, catalog, self.environ, simulated=simulated, groups=groups, notify=notify)

    def _file(self, pattern: str) -> Path:
        if is_file(pattern):
            return Path(pattern)
        files = self._files.current()
        if pattern not in files:
            raise unknown("pattern", pattern, files)
        return files[pattern]


def _is_model(pattern: str) -> bool:
    return pattern.startswith("model:")
