"""Where people are told of reviews."""

from continuo.errors import InputError
from continuo.patterns import Review, Step
from continuo.patterns.walk import specs
from continuo.protection.webhooks import check_url


def check_notified(step: Step, *, private: bool) -> None:
    """Raise `InputError` for a webhook of a review, somewhere in `step`, that is told nothing, as far as that is seen
    without asking for its name; `private` as in `check_url`."""
    for review in specs(step):
        if not isinstance(review, Review):
            continue
        for to in (review.notify, review.escalate.notify if review.escalate else None):
            if to is None or to.webhook is None:
                continue
            try:
                check_url(to.webhook, private=private)
            except InputError as error:
                raise InputError(f"notify.webhook: {error}") from None
