"""What tokens cost at the prices of the catalog, for workflows, which know none."""

from temporalio import activity

from continuo.authoring.library import Library
from continuo.messages import Usage


class Pricing:
    """A local activity."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @activity.defn(name="price")
    async def price(self, model: str, usages: list[Usage]) -> list[float | None]:
        """What each usage costs in USD at the model's price, None where that is unknown."""
        known = (await self._library.catalog_with(model=model)).models.get(model)
        price = known.price if known else None
        return [None if price is None else round(price.cost(usage), 9) for usage in usages]
