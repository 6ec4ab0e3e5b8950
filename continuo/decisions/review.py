"""What a review has come to, as pure functions."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import takewhile
from typing import Literal

from pydantic import Field

from continuo.cut import cut
from continuo.data import Data
from continuo.decisions.confidence import json_object
from continuo.jobs import Verdict, Vote
from continuo.patterns import Review
from continuo.patterns.review import Decided, Reviewer

TYPE = "Review"
"""The workflow type of a review."""

MEMO = "review"
"""Where its memo has what a list shows of it."""

REJECTED = "Rejected"
UNDECIDED = "Undecided"
"""The types of the failures of a review: that was rejected, and that nobody decided in time."""

Event = Literal["remind", "escalate", "due"]


class Claim(Data):
    """Somebody who decides next, and until when nobody else may."""

    by: Reviewer
    until: datetime


class Decision(Data):
    """What a person decides on what was `shown`, a digest. `text` is that of an edit or a response, and `reason` why a
    rejection, where reasons are named."""

    decision: Decided
    by: Reviewer
    shown: str
    text: str | None = Field(default=None, min_length=1)
    reason: str | None = None
    note: str = Field(default="", max_length=10_000)


class Brief(Data):
    """What a list shows of a review; `verdict` is a line for people."""

    id: str
    run: str
    path: str
    tenant: str
    pattern: str
    question: str
    opened: datetime
    due: datetime
    reviewers: tuple[str, ...]
    policy: Literal["one", "all", "majority"]
    escalated: bool
    reminders: int
    claim: Claim | None
    votes: int
    verdict: str | None

    def late(self, now: datetime) -> bool:
        """Whether it should have been decided: it is past its time, or had to be escalated."""
        return self.escalated or self.due < now


class Case(Data):
    """A review as it stands. Times are UTC; `run` is the id of the whole run, and `path` where in it the review is.

    `text` is what is shown beside the question, and `shown` the digest of both; `changes` are those since the same tool
    was last proposed in the run. `reviewers` are those who may decide now: nobody is named where everybody may. `over`
    says why nobody may decide any more, where nobody did.
    """

    id: str
    run: str
    path: str
    tenant: str
    pattern: str
    requester: str | None
    question: str
    text: str
    changes: tuple[str, ...] = ()
    decisions: tuple[Decided, ...]
    reasons: tuple[str, ...]
    reviewers: tuple[str, ...]
    policy: Literal["one", "all", "majority"]
    not_by_requester: bool
    opened: datetime
    due: datetime
    escalated: bool = False
    reminders: int = 0
    claim: Claim | None = None
    votes: tuple[Vote, ...] = ()
    verdict: Verdict | None = None
    over: str | None = None

    @property
    def shown(self) -> str:
        """Which text, and which question, a decision is about."""
        return sha256(json.dumps([self.id, self.question, self.text]).encode()).hexdigest()[:16]

    @property
    def closed(self) -> str | None:
        """Why nobody may decide any more, None as long as somebody may."""
        return f"it has been decided: {self.verdict.line}" if self.verdict else self.over

    def brief(self) -> Brief:
        """What a list shows of it."""
        same = {
            name: getattr(self, name) for name in Brief.model_fields if name not in ("question", "votes", "verdict")
        }
        verdict = self.verdict.line if self.verdict else self.over
        return Brief(**same, question=cut(self.question, 200), votes=len(self.votes), verdict=verdict)


def refusal(case: Case, decision: Decision, now: datetime) -> str | None:
    """Why the decision cannot be taken, or None where it can."""
    if case.closed is not None:
        return case.closed
    if decision.shown != case.shown:
        return f"it is about {decision.shown[:64]!r}, and {case.shown} is shown now; look at it again"
    if decision.decision not in case.decisions:
        return f"{decision.decision} is none of its decisions; take {' or '.join(case.decisions)}"
    if (why := not_theirs(case, decision.by, now)) is not None:
        return why
    if any(vote.reviewer == decision.by for vote in case.votes):
        return f"{decision.by} has voted already"
    if decision.decision == "reject" and case.reasons and decision.reason not in case.reasons:
        return f"a rejection needs one of the reasons {', '.join(case.reasons)}"
    if decision.reason is not None and (decision.decision != "reject" or not case.reasons):
        return "a reason belongs to a rejection of a review that names reasons; write a note instead"
    if (decision.text is not None) != (decision.decision in ("edit", "respond")):
        return "edit and respond need a text, and no other decision takes one"
    return None


def not_theirs(case: Case, by: str, now: datetime) -> str | None:
    """Why this person may not decide now, or None."""
    if case.reviewers and by not in case.reviewers:
        return f"{by} is none of its reviewers, who are {', '.join(case.reviewers)}"
    if case.not_by_requester and by == case.requester:
        return f"{by} asked for it, and may not decide it"
    if case.claim is not None and case.claim.by != by and case.claim.until > now:
        return f"{case.claim.by} has claimed it until {case.claim.until:%Y-%m-%d %H:%M:%S} UTC"
    return None


def voted(case: Case, decision: Decision, now: datetime) -> Case:
    """The case with one more decision, which may have decided it."""
    vote = Vote(reviewer=decision.by, decision=decision.decision, reason=decision.reason, note=decision.note, time=now)
    votes = (*case.votes, vote)
    done = outcome_of(votes, case.reviewers, case.policy)
    several = () if case.policy == "one" else votes
    verdict = None if done is None else Verdict(**{**vote.model_dump(), "decision": done}, votes=several)
    return case.model_copy(update={"votes": votes, "verdict": verdict, "claim": None})


def outcome_of(votes: Sequence[Vote], reviewers: Sequence[str], policy: str) -> Decided | None:
    """What the votes come to, None as long as the rest of the reviewers can still change it."""
    if policy == "one":
        return votes[-1].decision if votes else None
    approved = sum(vote.decision == "approve" for vote in votes)
    rejected = len(votes) - approved
    needed = len(reviewers) if policy == "all" else len(reviewers) // 2 + 1
    if approved >= needed:
        return "approve"
    return "reject" if len(reviewers) - rejected < needed else None


def next_event(review: Review, case: Case) -> tuple[datetime, Event]:
    """What happens next if nobody decides, and when."""
    events: list[tuple[datetime, Event]] = [(case.due, "due")]
    if review.escalate is not None and not case.escalated:
        events.append((case.opened + timedelta(seconds=review.escalate.after), "escalate"))
    if review.remind is not None:
        events.append((case.opened + timedelta(seconds=review.remind * (case.reminders + 1)), "remind"))
    return min(events, key=lambda event: event[0])


def escalated(review: Review, case: Case) -> Case:
    """The case in the hands of those to whom it is escalated; what was claimed or voted before counts no more."""
    assert review.escalate is not None
    assert review.escalate.group is None, "the door puts its members in its place"
    reviewers = review.escalate.reviewers
    return case.model_copy(update={"escalated": True, "reviewers": reviewers, "votes": (), "claim": None})


def changes(before: str, after: str) -> list[str]:
    """How the shown text was changed: the arguments of a JSON object one by one, other texts, and arguments that are
    texts of several lines, by the lines between the first and the last that differ."""
    old, new = json_object(before), json_object(after)
    if old is None or new is None:
        return _lines(before, after)
    lines = []
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if name in old and name in new and one == other:
            continue
        if isinstance(one, str) and isinstance(other, str) and "\n" in one + other:
            lines += [f"  {name}:", *_lines(one, other)]
            continue
        if name in old:
            lines.append(f"- {name}: {json.dumps(one, ensure_ascii=False)}")
        if name in new:
            lines.append(f"+ {name}: {json.dumps(other, ensure_ascii=False)}")
    return lines


def _lines(before: str, after: str) -> list[str]:
    # Not difflib: what a model writes may be long and alike, and this takes a workflow's time.
    old, new = before.split("\n"), after.split("\n")
    alike = sum(1 for _ in takewhile(_same, zip(old, new, strict=False)))
    rest = zip(reversed(old[alike:]), reversed(new[alike:]), strict=False)
    end = sum(1 for _ in takewhile(_same, rest))
    gone, come = old[alike : len(old) - end], new[alike : len(new) - end]
    return [*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)]


def _same(lines: tuple[str, str]) -> bool:
    return lines[0] == lines[1]
