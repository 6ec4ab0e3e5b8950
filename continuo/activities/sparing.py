"""What it saves to leave something out of what models are asked."""

from pydantic import NonNegativeInt
from temporalio import activity

from continuo.authoring.library import Library
from continuo.config.catalog import Catalog, Price
from continuo.data import Data
from continuo.jobs import CallRecord
from continuo.messages import Usage


class Spared(Data):
    """About so many `tokens` fewer were read in each of the `calls`."""

    tokens: NonNegativeInt
    calls: tuple[CallRecord, ...]


class Sparing:
    """A local activity: what it finds is in the history, whatever becomes of the catalog."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @activity.defn(name="spared_usd")
    async def spared_usd(self, spared: Spared) -> float | None:
        """What the tokens would have cost in USD, read anew by each; None where the price of any is unknown."""
        catalog = await self._library.catalog_with()
        prices = [_price(call, catalog) for call in spared.calls]
        read = Usage(input_tokens=spared.tokens)
        known = [price.cost(read) * call.count for price, call in zip(prices, spared.calls, strict=True) if price]
        return sum(known) if len(known) == len(prices) else None


def _price(call: CallRecord, catalog: Catalog) -> Price | None:
    model = catalog.models.get(call.model)
    if model is None:
        return None
    return next((one for one in model.deployed if one.provider == call.provider), model).price
