"""How far those who rate the same runs agree, and where they do not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from continuo.data import Data
from continuo.evaluation.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
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


class Agreements(Data):
    """By dimension; and the disputes, those first that are not settled."""

    dimensions: tuple[Agreement, ...]
    disputes: tuple[Dispute, ...]


def agreements(ratings: Iterable[Rating]) -> Agreements:
    """Of what people have given from 1 to 5; other ratings are left out."""
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
    )


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
