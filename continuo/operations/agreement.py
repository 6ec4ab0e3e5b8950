"""How far those who rate the same runs agree, and where they do not."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

from continuo.data import Data
from continuo.evaluation.agreement import WithPeople, cohen_kappa, fleiss_kappa, krippendorff_alpha, with_people
from continuo.operations.ratings import Dimension, Rating, out_of_five

SPREAD = 2
"""From so many points of five on, two ratings of a run disagree."""

Scores = Mapping[str, Mapping[str, int]]
"""Of each run, what each rater gave it out of five."""


class Dispute(Data):
    """A run of which two ratings disagree in a dimension. It is `settled` when a third rater has rated it too."""

    run_id: str
    dimension: Dimension
    scores: dict[str, int]

    @property
    def settled(self) -> bool:
        return len(self.scores) > 2


class Agreement(Data):
    """Of the `runs` that two `raters` or more have rated in a dimension.

    `kappa` is Cohen's of two raters and Fleiss' of more, over the runs that all of them have rated, absent where there
    are none; `alpha` is Krippendorff's, on the ordinal level, over all.
    """

    dimension: Dimension
    raters: int
    runs: int
    kappa: float | None
    alpha: float | None


class Judged(WithPeople):
    """How far a judge agrees with people in a dimension, on the runs that both have rated."""

    judge: str
    dimension: Dimension


class Agreements(Data):
    """Of people by dimension; the disputes, those first that are not settled; and each judge with people."""

    dimensions: tuple[Agreement, ...]
    disputes: tuple[Dispute, ...]
    judges: tuple[Judged, ...] = ()


def agreements(ratings: Iterable[Rating]) -> Agreements:
    """Of what people have given from 1 to 5. A judge is beside all that callers and people have said."""
    ratings = list(ratings)
    by_dimension: dict[Dimension, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for rating in ratings:
        if rating.source == "person" and rating.scale == "1-5":
            by_dimension[rating.dimension][rating.run_id][rating.rater] = out_of_five(rating.value)
    several = {
        dimension: {run: scores for run, scores in runs.items() if len(scores) > 1}
        for dimension, runs in by_dimension.items()
    }
    disputes = [
        Dispute(run_id=run, dimension=dimension, scores=scores)
        for dimension, runs in several.items()
        for run, scores in runs.items()
        if max(scores.values()) - min(scores.values()) >= SPREAD
    ]
    return Agreements(
        dimensions=tuple(_agreement(dimension, runs) for dimension, runs in several.items() if runs),
        disputes=tuple(sorted(disputes, key=lambda dispute: dispute.settled)),
        judges=tuple(_judges(ratings)),
    )


def by_people(ratings: Iterable[Rating], dimension: Dimension = "overall") -> dict[str, float]:
    """The mean of what callers and people have said of each run in a dimension; all together are `overall`."""
    said = defaultdict[str, list[float]](list)
    for rating in ratings:
        if rating.source != "judge" and dimension in ("overall", rating.dimension):
            said[rating.run_id].append(rating.value)
    return {run: fmean(values) for run, values in said.items()}


def _judges(ratings: Sequence[Rating]) -> Iterator[Judged]:
    by_judge = defaultdict[tuple[str, Dimension], dict[str, float]](dict)
    for rating in ratings:
        if rating.source == "judge":
            by_judge[rating.rater, rating.dimension][rating.run_id] = rating.value
    for (judge, dimension), given in sorted(by_judge.items()):
        people = by_people(ratings, dimension)
        if both := [run for run in given if run in people]:
            agreement = with_people([given[run] for run in both], [people[run] for run in both])
            yield Judged(judge=judge, dimension=dimension, **agreement.model_dump())


def _agreement(dimension: Dimension, runs: Scores) -> Agreement:
    raters = sorted({rater for scores in runs.values() for rater in scores})
    common = [[str(scores[rater]) for rater in raters] for scores in runs.values() if len(scores) == len(raters)]
    kappa = None
    if common:
        kappa = cohen_kappa(*zip(*common, strict=True)) if len(raters) == 2 else fleiss_kappa(common)
    return Agreement(
        dimension=dimension,
        raters=len(raters),
        runs=len(runs),
        kappa=kappa,
        alpha=krippendorff_alpha([list(scores.values()) for scores in runs.values()], "ordinal"),
    )
