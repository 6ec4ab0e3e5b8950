"""How hard a task is, and what the ways to do it cost: what an orchestration needs of the catalog before it begins."""

from temporalio import activity

from continuo.authoring.estimate import once
from continuo.authoring.library import Library
from continuo.config.catalog import Catalog, Price
from continuo.data import Data
from continuo.decisions.difficulty import OUTPUT, difficulty
from continuo.decisions.plans import tasks_in
from continuo.errors import InputError
from continuo.jobs import Job, Level
from continuo.messages import estimated_tokens
from continuo.operations.reports import baseline
from continuo.patterns import Orchestrate

AGAINST = "premium"
"""The alias that the catalog has for the model which savings are counted against."""


class Assessment(Data):
    """`price` is that of the model `against`; both are None where no such model can be used here."""

    level: Level
    reasons: tuple[str, ...]
    estimated_usd: float | None
    against: str | None = None
    price: Price | None = None


class Orchestrating:
    """A local activity: what it finds is in the history, whatever becomes of the rules and the catalog."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @activity.defn(name="assess")
    async def assess(self, job: Job) -> Assessment:
        assert isinstance(job.step, Orchestrate)
        catalog, settings = await self._library.catalog_with(), self._library.settings
        prompt = job.request.prompt
        level, reasons = difficulty(prompt, len(tasks_in(job.data, prompt)))
        assessment = Assessment(level=level, reasons=reasons, estimated_usd=_likely(job.step, level, prompt, catalog))
        try:
            against = baseline(AGAINST, catalog, self._library.environ, simulated=settings.simulated)
        except InputError:
            return assessment
        return assessment.model_copy(update={"against": against.id, "price": against.price})


def _likely(step: Orchestrate, level: Level, prompt: str, catalog: Catalog) -> float | None:
    """What it costs where the first executor asked does all, and nothing is wrong with that."""
    read, written = estimated_tokens(prompt), OUTPUT[level]
    first = next(iter(step.order(level).values()))
    costs = [once(first, catalog, input_tokens=read, output_tokens=written)]
    if step.planner and level != "simple":
        costs.append(once(step.planner, catalog, input_tokens=read, output_tokens=written // 9))
    if step.validator:
        costs.append(once(step.validator, catalog, input_tokens=read + written, output_tokens=30))
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
