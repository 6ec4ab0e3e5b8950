"""`continuo patterns` and `continuo models`: what there is, and whether it is valid and usable here."""

from functools import partial

from rich.table import Table

from continuo.catalog import load_catalog
from continuo.errors import InputError
from continuo.named import load_pattern, pattern_files
from continuo.patterns import Call
from continuo.prepare import resolved
from continuo.settings import Settings, environment, unavailable
from continuo.walk import specs
from starters.report import err, out


def patterns() -> int:
    """List the named patterns and check each: exit code 2 when one is wrong."""
    settings = Settings()
    catalog, environ = load_catalog(settings.catalog), environment()
    table = Table("pattern", "kind", "models here", "what for")
    wrong = []
    for name, path in pattern_files(settings.patterns).items():
        try:
            named = load_pattern(path)
            step = resolved(named.pattern, catalog, environ, simulated=settings.simulated)
        except InputError as error:
            wrong.append(error)
            continue
        models = dict.fromkeys(spec.model for spec in specs(step) if isinstance(spec, Call))
        table.add_row(name, step.kind, ", ".join(models) or "-", named.description)
    out.print(table)
    for mistake in wrong:
        err.print(f"error: {mistake}")
    return 2 if wrong else 0


def models() -> int:
    """List the catalog's models with their prices in USD per 1 M tokens, and what each needs to be used here."""
    settings = Settings()
    catalog = load_catalog(settings.catalog)
    missing = partial(unavailable, environ=environment(), simulated=settings.simulated)
    table = Table("model", "provider", "input", "output", "cached", "as of", "here")
    for model in catalog.models.values():
        price = model.price
        prices = (price.input, price.output, price.cached) if price else (None, None, None)
        here = f"replaced by {model.replaced_by}" if model.replaced_by else missing(catalog.providers[model.provider])
        table.add_row(
            model.id,
            model.provider,
            *("-" if value is None else f"{value:g}" for value in prices),
            str(price.date) if price else "-",
            here or "ready",
        )
    out.print(table)
    for alias, names in catalog.aliases.items():
        out.print(f"{alias}: {', '.join(names)}")
    return 0
