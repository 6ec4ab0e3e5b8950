"""How far the judges of an evaluation agree with people, who have rated its runs: `continuo rate --batch ID`."""

from collections.abc import Sequence

from continuo.evaluation.agreement import WithPeople, with_people
from continuo.evaluation.golden_set import GoldenSet
from continuo.evaluation.results import Evaluation, Tried
from continuo.evaluation.scores.judge import Judge
from continuo.operations.agreement import by_people
from continuo.operations.batches import run_id
from continuo.stores.database import Database
from continuo.stores.ratings import ratings_of
from continuo.stores.runs import rows_of

PAGE = 1000
"""Runs that are looked up at once."""


async def beside_people(database: Database, golden_set: GoldenSet, tenant: str, evaluation: Evaluation) -> Evaluation:
    """The evaluation, with how far each judge of the set agrees with people on the answers that they have rated."""
    judges = [scorer.name for scorer in golden_set.scores if isinstance(scorer, Judge)]
    if not judges:
        return evaluation
    tried = [
        one.model_copy(update={"with_people": _agreement(one, judges, await _people(database, tenant, one))})
        for one in evaluation.patterns
    ]
    return evaluation.model_copy(update={"patterns": tuple(tried)})


async def _people(database: Database, tenant: str, tried: Tried) -> dict[int, float]:
    """What people have given the answer at each place, from 0 to 1."""
    places = {run_id(tenant, tried.batch, place + 1): place for place in range(len(tried.answers))}
    ids, people = list(places), dict[int, float]()
    for start in range(0, len(ids), PAGE):
        rows = await rows_of(database, *ids[start : start + PAGE])
        said = by_people(await ratings_of(database, [row.run_id for row in rows]))
        people |= {places[row.workflow_id]: said[row.run_id] for row in rows if row.run_id in said}
    return people


def _agreement(tried: Tried, judges: Sequence[str], people: dict[int, float]) -> dict[str, WithPeople]:
    agreements = {}
    for name in judges:
        both = [place for place in people if name in tried.answers[place].scores]
        if both:
            given = [tried.answers[place].scores[name].value for place in both]
            agreements[name] = with_people(given, [people[place] for place in both])
    return agreements
