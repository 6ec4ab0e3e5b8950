"""What an ensemble decides from the votes that it has, and when it need not wait for more."""

from collections.abc import Sequence

from continuo.decisions.vote import Decision, Vote, average, majority, unanimous_or_weighted, undecidable, weighted_vote
from continuo.patterns import Ensemble
from continuo.patterns.choices import Average, Majority, UnanimousOrWeighted, WeightedVote


def decision(ensemble: Ensemble, votes: Sequence[Vote]) -> Decision | None:
    """The decision that `votes` (one or more) come to, or None. Not for `Meta`, where a step decides."""
    combine = ensemble.combine
    match combine:
        case Majority():
            return majority(votes, ensemble.quorum, combine.field)
        case WeightedVote(weights=weights):
            return weighted_vote(_weighted(votes, weights), combine.field)
        case Average():
            return average(votes, combine.field)
        case UnanimousOrWeighted():
            return unanimous_or_weighted(votes, combine.field)
    raise TypeError("a step decides")


def decided(ensemble: Ensemble, votes: Sequence[Vote], waiting: int) -> bool:
    """Whether the `waiting` members can change nothing any more: a quorum is reached, or out of reach."""
    combine = ensemble.combine
    if not isinstance(combine, Majority):
        return False
    winner = majority(votes, ensemble.quorum, combine.field)
    return winner is not None or undecidable(votes, ensemble.quorum, waiting, combine.field)


def _weighted(votes: Sequence[Vote], weights: Sequence[float] | None) -> list[Vote]:
    """The votes with their members' weights; members are called `member1` and so on."""
    if weights is None:
        return list(votes)
    by_member = {f"member{number}": weight for number, weight in enumerate(weights, 1)}
    return [vote.model_copy(update={"weight": by_member[vote.member]}) for vote in votes]
