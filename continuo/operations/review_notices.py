"""What those who must decide a review are told of it."""

import json
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import Literal

from continuo.data import Data
from continuo.decisions.review import Brief, Case
from continuo.patterns.review import Decided, Notify
from continuo.protection.review_links import ReviewLink

Happened = Literal["opened", "reminded", "escalated"]

_SAYS: Mapping[Happened, str] = {"opened": "To be decided", "reminded": "Still to be decided", "escalated": "Now yours"}


class ReviewNotice(Data):
    """What happened to a review, and to which of the addresses of `to` it is told. `id` is the event's, however often
    it is tried, and `created_at` in seconds since 1970."""

    id: str
    created_at: int
    happened: Happened
    to: Notify
    brief: Brief
    requester: str | None
    shown: str
    decisions: tuple[Decided, ...]

    def links(self) -> Mapping[str, ReviewLink]:
        """What each named reviewer who may decide can do with a link, by name."""
        brief = self.brief
        return {
            name: ReviewLink(
                review=brief.id,
                tenant=brief.tenant,
                reviewer=name,
                decisions=self.decisions,
                shown=self.shown,
                expires=int(brief.due.timestamp()),
            )
            for name in brief.reviewers
            if name != self.requester
        }

    def event(self, links: Mapping[str, str]) -> str:
        """The body of a webhook, in the form of those of jobs; `links` are addresses by reviewer."""
        brief = self.brief
        data = {
            "id": brief.id,
            "run": brief.run,
            "pattern": brief.pattern,
            "tenant": brief.tenant,
            "question": brief.question,
            "due": int(brief.due.timestamp()),
            "reviewers": list(brief.reviewers),
            "decisions": list(self.decisions),
            "links": dict(links),
        }
        head = {"id": self.id, "object": "event", "created_at": self.created_at, "type": f"review.{self.happened}"}
        return json.dumps({**head, "data": data}, separators=(",", ":"))

    def slack(self, links: Mapping[str, str]) -> str:
        """The body that an incoming webhook of Slack takes, or of what speaks its form."""
        brief = self.brief
        who = ", ".join(brief.reviewers) or "anybody"
        lines = [
            f"*{_SAYS[self.happened]}: {_text(brief.question)}*",
            f"{_text(brief.pattern)} for {_text(brief.tenant)}, by {_text(who)}, until {brief.due:%Y-%m-%d %H:%M} UTC",
            *(f"<{url}|Decide as {_text(name)}>" for name, url in links.items()),
            f"`continuo reviews show {_text(brief.id)}`",
        ]
        return json.dumps({"text": "\n".join(lines)})


def notices_of(to: Notify, case: Case, happened: Happened, run_id: str, time: float) -> list[ReviewNotice]:
    """One for each address, of what happened at a `time` in seconds since 1970."""
    addresses = [to.model_copy(update={other: None}) for other in ("slack", "webhook")]
    return [
        ReviewNotice(
            id=f"evt_{sha256(f'{run_id}/{happened}/{case.reminders}/{one.webhook is None}'.encode()).hexdigest()[:32]}",
            created_at=int(time),
            happened=happened,
            to=one,
            brief=case.brief(),
            requester=case.requester if case.not_by_requester else None,
            shown=case.shown,
            decisions=case.decisions,
        )
        for one in addresses
        if one.webhook or one.slack
    ]


def _text(text: str) -> str:
    """As Slack shows it, letter by letter."""
    return escape(text, quote=False).replace("\n", " ")
