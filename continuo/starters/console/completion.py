"""The names that a shell offers for an argument of `continuo`; `continuo --install-completion` sets it up."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.completion import CompletionContext

from continuo.authoring.files import pattern_files
from continuo.authoring.golden_sets import set_files
from continuo.config.catalog import Catalog, load_catalog
from continuo.config.settings import Settings


def _models(context: CompletionContext) -> list[str]:
    catalog = _catalog()
    return [*catalog.aliases, *catalog.models]


def _providers(context: CompletionContext) -> list[str]:
    return list(_catalog().providers)


def _named(context: CompletionContext) -> list[str]:
    return list(pattern_files(Settings().patterns))


def _patterns(context: CompletionContext) -> list[str]:
    begun = Path(f"{context.incomplete}*.yaml")
    return [*_named(context), *map(str, begun.parent.glob(begun.name)), *(f"model:{name}" for name in _models(context))]


def _sets(context: CompletionContext) -> list[str]:
    return list(set_files(Settings().evals))


def _catalog() -> Catalog:
    return load_catalog(Settings().catalog)


ModelName = Annotated[str, Parameter(completer=_models)]
ProviderName = Annotated[str, Parameter(completer=_providers)]
PatternName = Annotated[str, Parameter(completer=_named)]
GoldenSetName = Annotated[str, Parameter(completer=_sets)]
Runnable = Annotated[str, Parameter(completer=_patterns)]
"""A named pattern, a YAML file, or model:ID."""
