import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from continuo.decisions.review import Case, Decision
from continuo.door.runs import Handle, result
from continuo.jobs import Failure, Outcome
from continuo.patterns import Call, Fallback, Retry, Review, Template
from continuo.patterns.review import Escalation, Notify
from continuo.testing.processes import Control, begin, job, outcome, until, until_cancelled
from tests.support.receiver import receiving

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)


async def opened(handle: Handle) -> Case:
    """The case, once it is there to be decided."""
    case: Case | None = None

    async def there() -> bool:
        nonlocal case
        try:
            case = await handle.query("case", result_type=Case)
        except (RPCError, WorkflowQueryFailedError):
            return False
        return True

    await until(there)
    assert case is not None
    return case


async def decide(handle: Handle, case: Case, decision: str, by: str = "ann", **fields: Any) -> Case:
    told = Decision(decision=decision, by=by, shown=case.shown, **fields)
    decided: Case = await handle.execute_update("decide", told, result_type=Case)
    return decided


async def refused(handle: Handle, case: Case, decision: str, **fields: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await decide(handle, case, decision, **fields)
    assert isinstance(error.value.cause, ApplicationError)
    return error.value.cause.message


async def test_what_is_approved_is_the_answer_and_the_outcome_says_who_approved_it(
    client: Client, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="A draft.")
    handle = await begin(client, job(Review(question="Send this about: {input}", step=Call(model="mini"))))
    case = await opened(handle)
    assert (case.question, case.text) == ("Send this about: Where is my order?", "A draft.")
    await decide(handle, case, "approve", note="good")
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert (found.text, found.served_by, found.model) == ("A draft.", "model", "sim-mini")
    assert found.verdict
    assert (found.verdict.decision, found.verdict.reviewer, found.verdict.note) == ("approve", "ann", "good")


async def test_an_edit_is_the_answer_with_what_it_changed(client: Client) -> None:
    handle = await begin(client, job(Review(), '{"sum": 300, "to": "x"}'))
    await decide(handle, await opened(handle), "edit", text='{"sum": 30, "to": "x"}')
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert (found.text, found.served_by) == ('{"sum": 30, "to": "x"}', "human")
    assert found.verdict
    assert found.verdict.changes == ("- sum: 300", "+ sum: 30")


async def test_a_rejection_is_a_failure_that_says_who_and_why(client: Client) -> None:
    handle = await begin(client, job(Fallback(steps=(Review(reasons=("too long",)), Template(text="Sorry.")))))
    review = client.get_workflow_handle(f"{handle.id}.tier1")
    case = await opened(review)
    await decide(review, case, "reject", reason="too long", note="cut it")
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert found.text == "Sorry."
    assert found.reasons[0].startswith("tier 1: Rejected: a person decided: reject by ann, ")
    assert found.reasons[0].endswith(" UTC (too long: cut it)")


async def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told_who(client: Client) -> None:
    handle = await begin(client, job(Review()))
    case = await opened(handle)
    ends = await asyncio.gather(
        decide(handle, case, "approve", "ann"), decide(handle, case, "reject", "bob"), return_exceptions=True
    )
    lost = [end for end in ends if isinstance(end, BaseException)]
    assert len(lost) == 1
    found = await result(handle)
    winner = "ann" if isinstance(found, Outcome) else "bob"
    # The run may have ended before the other one came.
    assert isinstance(lost[0], RPCError) or f"by {winner}" in str(lost[0].__cause__)


async def test_all_of_a_group_must_approve_and_each_has_one_vote(client: Client) -> None:
    handle = await begin(client, job(Review(reviewers=("ann", "bob"), policy="all")))
    case = await opened(handle)
    await decide(handle, case, "approve", "ann")
    assert await refused(handle, case, "approve", by="ann") == "ann has voted already"
    assert "none of its reviewers" in await refused(handle, case, "approve", by="eve")
    await decide(handle, case, "approve", "bob")
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert found.verdict
    assert [vote.reviewer for vote in found.verdict.votes] == ["ann", "bob"]


async def test_more_than_half_of_a_named_group_decide_and_nobody_else(client: Client) -> None:
    handle = await begin(client, job(Review(group="editors", policy="majority")))
    case = await opened(handle)
    assert case.reviewers == ("ann", "bob", "cy")
    assert "none of its reviewers, who are ann, bob, cy" in await refused(handle, case, "approve", by="eve")
    assert (await decide(handle, case, "approve", "ann")).verdict is None
    await decide(handle, case, "approve", "cy")
    assert isinstance(await result(handle), Outcome)


async def test_a_claim_keeps_others_away_until_it_is_released(client: Client) -> None:
    handle = await begin(client, job(Review()))
    case = await opened(handle)
    claimed = await handle.execute_update("claim", args=["ann", 60.0], result_type=Case)
    assert claimed.claim
    assert claimed.claim.until > datetime.now(UTC)
    assert "ann has claimed it until" in await refused(handle, case, "approve", by="bob")
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("release", "bob")
    await handle.execute_update("release", "ann")
    await decide(handle, case, "approve", "bob")
    assert isinstance(await result(handle), Outcome)


async def test_what_nobody_decides_is_answered_otherwise_or_is_a_failure(client: Client) -> None:
    late = await outcome(client, job(Review(due=0.3, otherwise=Template(text="hold"))))
    assert (late.text, late.fallback, late.reasons) == ("hold", True, ("nobody decided in time",))
    end = await result(await begin(client, job(Review(due=0.3, question="Is it?"))))
    assert isinstance(end, Failure)
    assert (end.type, end.message) == ("Undecided", "nobody decided within 0.3 s: Is it?")


async def test_it_is_reminded_of_and_escalated_before_it_is_due(client: Client) -> None:
    review = Review(reviewers=("ann",), due=60, remind=0.2, escalate=Escalation(after=0.5, reviewers=("boss",)))
    handle = await begin(client, job(review))
    case = await opened(handle)

    async def escalated() -> bool:
        return (await opened(handle)).escalated

    await until(escalated)
    assert (await opened(handle)).reminders >= 2
    assert "who are boss" in await refused(handle, case, "approve")
    await decide(handle, case, "approve", "boss")
    found = await result(handle)
    assert isinstance(found, Outcome)
    assert "review: escalate" in [point.name for point in found.checkpoints]


async def test_a_run_that_is_cancelled_closes_its_review(client: Client) -> None:
    handle = await begin(client, job(Fallback(steps=(Review(),))))
    review = client.get_workflow_handle(f"{handle.id}.tier1")
    case = await opened(review)
    await until_cancelled(handle)
    with pytest.raises(RPCError):
        await decide(review, case, "approve")
    assert (await opened(review)).over == "its run was cancelled"


async def test_who_must_decide_is_told_at_opening_reminder_and_escalation_once_each(client: Client) -> None:
    async with receiving("500 Error") as ann, receiving() as boss:
        review = Review(
            reviewers=("ann",),
            due=60,
            remind=2,
            notify=Notify(webhook=ann.url()),
            escalate=Escalation(after=3, reviewers=("boss",), notify=Notify(webhook=boss.url())),
        )
        handle = await begin(client, job(review, tenant="acme"))
        [sent] = await boss.has(1)
        await decide(handle, await opened(handle), "approve", "boss")
        await result(handle)
        told = [one.unwrapped("acme") for one in ann.sent]
        # The first try was refused, and the next one is of the same event.
        assert [event.type for event in told] == ["review.opened", "review.opened", "review.reminded"]
        assert [one.headers["webhook-id"] for one in ann.sent] == [event.id for event in told]
        assert len({event.id for event in told}) == 2
        last = sent.unwrapped("acme")
        assert (last.type, last.data.id, last.data.reviewers) == ("review.escalated", handle.id, ["boss"])
