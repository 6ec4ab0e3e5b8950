"""`continuo patterns` and `continuo models`: what there is, and whether it is valid and usable here."""

from functools import partial

from rich.text import Text

from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings, environment, unavailable
from continuo.errors import InputError
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import err, out

_MODEL = (
    Column("model"),
    Column("provider", rank=3),
    Column("input", number=True),
    Column("output", number=True),
    Column("cached", rank=2, number=True),
    Column("as of", rank=4),
    Column("here", rank=1),
)


def patterns() -> int:
    """List the named patterns and check each: exit code 2 when one is wrong."""
    # Loaded here: the list of models does without.
    from continuo.authoring.library import Library
    from continuo.authoring.retiring import soon
    from continuo.patterns import Call
    from continuo.patterns.walk import specs

    library = Library()
    _ = library.catalog  # Raises, where it is wrong: else each pattern would.
    table = FittedTable(Column("pattern"), Column("kind", rank=2), Column("models here", rank=1), Column("what for"))
    wrong = []
    for name in library.names():
        try:
            step = library.step(name)
        except InputError as error:
            wrong.append(error)
            continue
        models = dict.fromkeys(spec.model for spec in specs(step) if isinstance(spec, Call))
        table.add_row(name, step.kind, ", ".join(models) or "-", library.named(name).description)
    out.print(table)
    for leaving in soon(library):
        err.print(f"warning: {leaving}")
    for mistake in wrong:
        err.print(f"error: {mistake}")
    return 2 if wrong else 0


def models() -> int:
    """List the models with their prices in USD per 1 M tokens, and what each needs to be used here."""
    settings = Settings()
    catalog = load_catalog(settings.catalog)
    missing = partial(unavailable, environ=environment(), simulated=settings.simulated)
    table = FittedTable(*_MODEL)
    for model in (deployed for listed in catalog.models.values() for deployed in listed.deployed):
        price, provider = model.price, catalog.providers[model.provider]
        prices = (price.input, price.output, price.cached) if price else (None, None, None)
        replaced = f"replaced by {model.replaced_by}" if model.replaced_by else "retired"
        here = replaced if model.retired else missing(provider)
        table.add_row(
            model.id,
            f"{model.provider} ({provider.region})" if provider.region else model.provider,
            *("-" if value is None else f"{value:g}" for value in prices),
            str(price.date) if price else "-",
            Text(here, "yellow")
            if here
            else Text(f"ready until {model.retires}" if model.retires else "ready", "green"),
        )
    out.print(table)
    for alias, names in catalog.aliases.items():
        out.print(f"{alias}: {', '.join(names)}")
    return 0
