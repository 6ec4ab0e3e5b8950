"""A pattern as a tree of few words, for people to read."""

from functools import partial

from continuo.authoring.estimate import estimate
from continuo.config.catalog import Catalog, Price
from continuo.data import Data
from continuo.patterns import Step
from continuo.patterns.worst import Estimate


class Node(Data):
    """A step: its name in paths, its kind, its numbers in few words, what it takes at worst, and what is below it."""

    name: str
    kind: str
    about: str = ""
    worst: Estimate
    below: tuple["Node", ...] = ()


def outline(step: Step, name: str, catalog: Catalog, *, input_tokens: int, output_tokens: int) -> Node:
    """The tree of `step`, its aliases resolved. Figures are those of `continuo.authoring.estimate`."""
    return Node(
        name=name,
        kind=step.kind,
        about=_about(step, catalog),
        worst=estimate(step, catalog, input_tokens=input_tokens, output_tokens=output_tokens),
        below=tuple(
            outline(below, inner, catalog, input_tokens=input_tokens, output_tokens=output_tokens)
            for inner, below in step.nested().items()
        ),
    )


def _about(step: Step, catalog: Catalog) -> str:
    words = step.about(partial(_price, catalog=catalog))
    # Not of a pattern that always is.
    chosen = step.isolate and not type(step).model_fields["isolate"].default
    return ", ".join([*words, "isolated"] if chosen else words)


def _price(model: str, catalog: Catalog) -> str:
    known = catalog.models.get(model)
    prices = [deployed.price for deployed in known.deployed] if known else []
    return " or ".join(dict.fromkeys(map(_words, prices))) or "price unknown"


def _words(price: Price | None) -> str:
    return f"${price.input:g} in, ${price.output:g} out per 1 M tokens" if price else "price unknown"
