"""Whether a batch may begin one more item."""


def may_begin(*, window: int, in_flight: int, budget: float | None, spent: float, ended: int) -> bool:
    """`window` items run at once at most. Of a `budget` (USD) is left what those in flight will cost, if each costs as
    much as the `ended` ones did on average; the first item goes alone, since nothing is known of it.

    So at most the last item goes over the budget, as long as no item is dearer than those before it.
    """
    if in_flight >= window:
        return False
    if budget is None:
        return True
    if not in_flight:
        return spent < budget
    return bool(ended) and spent + spent / ended * (in_flight + 1) <= budget
