"""`continuo reviews`: what waits for a person, and its decision."""

import asyncio
import json as jsonlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.text import Text

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.data import seconds
from continuo.decisions.review import Brief, Case, Decision
from continuo.errors import InputError
from continuo.patterns.review import Decided
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out

if TYPE_CHECKING:
    from temporalio.client import Client

Json = Annotated[bool, Parameter(negative=())]

reviews = App(name="reviews", help="List what waits for a person, and decide it.")


@reviews.command(name="list")
@reviews.default
async def list_reviews(
    *,
    tenant: str | None = None,
    pattern: str | None = None,
    overdue: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """List the open reviews in the order in which they are due.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    pattern
        Those of runs of this named pattern alone.
    overdue
        Those alone of which people have been reminded, or which are escalated.
    json
        Print them as JSON.
    """
    from continuo.door.reviews import open_reviews
    from continuo.temporal.connect import connect

    briefs = [
        brief
        for brief in await open_reviews(await connect(), tenant)
        if pattern in (None, brief.pattern) and (not overdue or brief.reminders or brief.escalated)
    ]
    if json:
        out.out(jsonlib.dumps([brief.model_dump(mode="json") for brief in briefs], indent=2))
        return 0
    table = FittedTable(
        Column("review"),
        Column("due (UTC)", rank=1),
        Column("age", rank=4, number=True),
        Column("tenant", rank=5),
        Column("pattern", rank=6),
        Column("who", rank=3),
        Column("question", rank=2),
        empty="nothing waits for a person",
    )
    now = datetime.now(UTC)
    for brief in briefs:
        table.add_row(
            brief.id,
            Text(f"{brief.due:%Y-%m-%d %H:%M}", "yellow" if brief.reminders or brief.escalated else ""),
            _age((now - brief.opened).total_seconds()),
            brief.tenant,
            brief.pattern,
            _who(brief, now),
            brief.question,
        )
    out.print(table)
    return 0


@reviews.command(name="next")
async def next_review(
    *, by: str, period: Annotated[str, Parameter(name="--for")] = "15m", tenant: str | None = None, json: Json = False
) -> int:
    """Claim the first review that is due and that you may decide, and show it: exit code 1 when there is none.

    Parameters
    ----------
    by
        Who decides.
    period
        How long nobody else may decide it.
    tenant
        One of this tenant alone.
    json
        Print it as JSON.
    """
    length = _seconds(period)
    from continuo.door.reviews import case_of, claim, open_reviews
    from continuo.temporal.connect import connect

    client = await connect()
    for brief in await open_reviews(client, tenant):
        if brief.reviewers and by not in brief.reviewers:
            continue
        try:
            case = await claim(client, await case_of(client, brief.id), by, length)
        except InputError:
            # Somebody else was quicker, or it is not theirs.
            continue
        _print(case, json=json)
        return 0
    out.print("nothing waits for you")
    return 1


@reviews.command
async def show(id: str, *, json: Json = False) -> int:
    """Show a review whole: what is to be decided, by whom, and what it came to.

    Parameters
    ----------
    id
        The review's, or the beginning of one that is open.
    json
        Print it as JSON.
    """
    from continuo.temporal.connect import connect

    _print(await _find(id, await connect()), json=json)
    return 0


@reviews.command
async def approve(id: str, *, by: str, shown: str, note: str = "") -> int:
    """Take what was shown as the answer.

    Parameters
    ----------
    id
        The review's, or the beginning of one that is open.
    by
        Who decides.
    shown
        The digest that `continuo reviews show` printed: nothing is decided that has changed since.
    note
        Why, kept with the outcome.
    """
    return await _decide(id, "approve", by=by, shown=shown, note=note)


@reviews.command
async def edit(id: str, text: str, *, by: str, shown: str, note: str = "") -> int:
    """Take another text as the answer.

    Parameters
    ----------
    id
        The review's, or the beginning of one that is open.
    text
        The text in place of what was shown.
    by
        Who decides.
    shown
        The digest that `continuo reviews show` printed.
    note
        Why, kept with the outcome.
    """
    return await _decide(id, "edit", by=by, shown=shown, note=note, text=text)


@reviews.command
async def respond(id: str, text: str, *, by: str, shown: str, note: str = "") -> int:
    """Give an answer of your own.

    Parameters
    ----------
    id
        The review's, or the beginning of one that is open.
    text
        The answer.
    by
        Who decides.
    shown
        The digest that `continuo reviews show` printed.
    note
        Why, kept with the outcome.
    """
    return await _decide(id, "respond", by=by, shown=shown, note=note, text=text)


@reviews.command
async def reject(id: str, *, by: str, shown: str, reason: str | None = None, note: str = "") -> int:
    """Refuse what was shown: the step fails, of type `Rejected`.

    Parameters
    ----------
    id
        The review's, or the beginning of one that is open.
    by
        Who decides.
    shown
        The digest that `continuo reviews show` printed.
    reason
        One of the review's reasons, where it has any.
    note
        Why, kept with the failure.
    """
    return await _decide(id, "reject", by=by, shown=shown, note=note, reason=reason)


@reviews.command
async def release(id: str, *, by: str) -> int:
    """Give a claim back, so that others may decide.

    Parameters
    ----------
    id
        The review's, or the beginning of one that is open.
    by
        Who has claimed it.
    """
    from continuo.door.reviews import release as give_back
    from continuo.temporal.connect import connect

    client = await connect()
    case = await _find(id, client)
    await give_back(client, case, by)
    out.print(f"released {case.id}")
    return 0


async def _decide(id: str, decision: Decided, **fields: str | None) -> int:
    taken = validated(Decision, decision=decision, **fields)
    from continuo.door import Door
    from continuo.door.reviews import decide
    from continuo.temporal.connect import connect

    client = await connect()
    case = await decide(Door(client, await asyncio.to_thread(Library)), await _find(id, client), taken)
    if case.verdict is None:
        out.print(f"voted on {case.id}: {len(case.votes)} of {len(case.reviewers)} have")
    else:
        out.print(f"{case.id}: {case.verdict.line}")
    return 0


async def _find(id: str, client: "Client") -> Case:
    """The review that `id` names. Raises `InputError` for none and for several."""
    from continuo.door.reviews import UnknownReview, case_of, open_reviews

    try:
        return await case_of(client, id)
    except UnknownReview:
        matches = [brief.id for brief in await open_reviews(client) if id and brief.id.startswith(id)]
        if len(matches) == 1:
            return await case_of(client, matches[0])
        if matches:
            raise InputError(f"id: {len(matches)} open reviews have ids that begin with {id!r}") from None
        raise


def _print(case: Case, *, json: bool) -> None:
    if json:
        out.out(jsonlib.dumps({**case.model_dump(mode="json"), "shown": case.shown}, indent=2))
        return
    lines = {
        "review": case.id,
        "run": f"{case.run} ({case.pattern} for {case.tenant})",
        "asked by": case.requester,
        "due": f"{case.due:%Y-%m-%d %H:%M:%S} UTC",
        "decided by": f"{case.policy} of {', '.join(case.reviewers)}" if case.reviewers else "anybody",
        "decisions": ", ".join(case.decisions),
        "reasons": ", ".join(case.reasons),
        "claimed": f"{case.claim.by} until {case.claim.until:%H:%M:%S} UTC" if case.claim else "",
        "votes": ", ".join(f"{vote.reviewer}: {vote.decision}" for vote in case.votes),
        "verdict": case.verdict.line if case.verdict else case.over,
        "shown": case.shown,
    }
    for name, value in lines.items():
        if value:
            out.print(Text(f"{name:<11}{value}"))
    out.print(Text(f"\n{case.question}\n", "bold"))
    out.print(Text(case.text))
    if case.changes:
        out.print(Text("\nchanged since it was last proposed in this run:\n"))
        for line in case.changes:
            out.print(Text(line, {"-": "red", "+": "green"}.get(line[0], "")))


def _who(brief: Brief, now: datetime) -> str:
    if brief.claim is not None and brief.claim.until > now:
        return f"claimed by {brief.claim.by}"
    return ", ".join(brief.reviewers) or "anybody"


def _seconds(period: str) -> float:
    try:
        value = float(str(seconds(period)))
    except ValueError as error:
        raise InputError(f"--for: {error}") from None
    if not 0 < value <= 86400:
        raise InputError(f"--for: a claim lasts a second to a day, not {period}")
    return value


def _age(age: float) -> str:
    return f"{age / 86400:.0f}d" if age >= 86400 else f"{age / 3600:.0f}h" if age >= 3600 else f"{age / 60:.0f}m"
