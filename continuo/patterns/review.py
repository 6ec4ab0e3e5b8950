"""A question that waits for a person."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from continuo.data import WHEN_SET, Data, Seconds, duration
from continuo.patterns.base import Spec, check_placeholders, check_unique, otherwise
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.patterns.step import Step

Decided = Literal["approve", "edit", "reject", "respond"]
Reviewer = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
"""As a person signs; compared letter by letter."""

GroupName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""Of a group of reviewers in `tenants.toml`. Before a run starts its members are put in its place."""

MOST_REMINDERS = 1000
"""Of one review: each is in its history."""


class Notify(Data):
    """Where people are told what waits for them: at a `webhook`, signed as those of jobs are, and at an incoming
    webhook of Slack, whose address is a secret: `slack` names the variable of the pools that holds it."""

    webhook: Annotated[str | None, WHEN_SET] = Field(default=None, min_length=1, max_length=2000)
    slack: Annotated[str | None, WHEN_SET] = Field(default=None, max_length=100, pattern=r"^[A-Z][A-Z0-9_]*$")

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.webhook is None and self.slack is None:
            raise ValueError("it tells nobody; give a webhook, or name the variable with the address of slack")
        return self


class Escalation(Data):
    """After so long without a decision `reviewers`, or those of a `group`, decide, in place of those before. They are
    told of it as `notify` says."""

    after: Seconds
    reviewers: tuple[Reviewer, ...] = Field(default=(), max_length=100)
    group: Annotated[GroupName | None, WHEN_SET] = None
    notify: Annotated[Notify | None, WHEN_SET] = None

    @model_validator(mode="after")
    def _to_somebody(self) -> Self:
        _check_either(self.reviewers, self.group)
        if not self.reviewers and self.group is None:
            raise ValueError("an escalation is to somebody; name the reviewers or a group")
        return self


class Review(Spec):
    """Ask a person, and wait for as long as it takes: what is asked is shown, or what `step` answers to it.

    `question` says what is to be decided; it may hold `{input}`, what the step is asked. *approve* gives what was shown
    as the answer, *edit* another text in its place, *respond* a text of the reviewer's own, and *reject*, for one of
    the `reasons` where there are any, is a failure of type `Rejected`. Without `decisions` all but *respond* may be
    taken, and only *approve* and *reject* where several people decide.

    `reviewers`, or those of a `group`, are who may decide; without them everybody may. By the `policy` *one* of them
    decides, or *all* must approve, or a *majority*. With `not_by_requester` the job's user may not decide. A review is
    due after `due`: then `otherwise` answers, or it fails, of type `Undecided`. Every `remind` it is reminded of until
    then. When it is opened, reminded of and escalated, those who must decide are told as `notify` says, once each: by
    default as `tenants.toml` says of their group.
    """

    kind: Literal["review"] = "review"
    isolate: Literal[True] = True
    question: str = Field(default="May this be used?", min_length=1, max_length=10_000)
    step: Annotated["Step | None", WHEN_SET] = None
    decisions: Annotated[tuple[Decided, ...], WHEN_SET] = ()
    reasons: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], WHEN_SET] = ()
    reviewers: Annotated[tuple[Reviewer, ...], WHEN_SET] = Field(default=(), max_length=100)
    group: Annotated[GroupName | None, WHEN_SET] = None
    policy: Literal["one", "all", "majority"] = "one"
    not_by_requester: bool = False
    due: Seconds = 7 * 86400.0
    remind: Annotated[Seconds | None, WHEN_SET] = None
    notify: Annotated[Notify | None, WHEN_SET] = None
    escalate: Annotated[Escalation | None, WHEN_SET] = None
    otherwise: Annotated["Step | None", WHEN_SET] = None

    @property
    def allowed(self) -> tuple[Decided, ...]:
        """The decisions that may be taken."""
        return self.decisions or (("approve", "edit", "reject") if self.policy == "one" else ("approve", "reject"))

    def nested(self) -> "Mapping[str, Step]":
        return {**({} if self.step is None else {"step": self.step}), **otherwise(self.otherwise)}

    def answering(self) -> Iterable[str]:
        return otherwise(self.otherwise)

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.all(self.nested().values()) + Estimate(seconds=self.due)

    def about(self, price: Callable[[str], str]) -> list[str]:
        names = ", ".join(self.reviewers) or self.group
        who = f"{self.policy} of {names}" if names else "anybody"
        return [", ".join(self.allowed), f"by {who}", f"due after {duration(self.due)}"]

    @model_validator(mode="after")
    def _can_be_decided(self) -> Self:
        check_placeholders("the question", self.question, ("input",))
        for names in (self.decisions, self.reasons, self.reviewers, self.escalate.reviewers if self.escalate else ()):
            check_unique(names)
        _check_either(self.reviewers, self.group)
        if self.policy != "one":
            if not self.reviewers and self.group is None:
                raise ValueError(f"policy {self.policy!r} is of several; name the reviewers or their group")
            for decision in self.allowed:
                if decision not in ("approve", "reject"):
                    raise ValueError(f"several people cannot {decision} at once; leave it out, or take policy one")
        if self.reasons and "reject" not in self.allowed:
            raise ValueError("reasons are those of a rejection, which is not among the decisions; add it")
        if self.remind is not None and self.remind >= self.due:
            raise ValueError("remind is not before due; lower it")
        if self.remind is not None and self.due / self.remind > MOST_REMINDERS:
            raise ValueError(f"remind comes more than {MOST_REMINDERS:,} times before due; raise it")
        if self.escalate is not None and self.escalate.after >= self.due:
            raise ValueError("escalate.after is not before due; lower it")
        return self


def _check_either(reviewers: tuple[str, ...], group: str | None) -> None:
    if reviewers and group is not None:
        raise ValueError(f"there are reviewers and the group {group!r}; leave one of them out")
