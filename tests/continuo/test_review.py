"""What a review has come to."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from continuo.authoring.notified import check_notified
from continuo.decisions.review import (
    Case,
    Claim,
    Decision,
    changes,
    escalated,
    next_event,
    outcome_of,
    refusal,
    voted,
)
from continuo.errors import InputError
from continuo.jobs import Vote
from continuo.patterns import Agent, AgentTool, Call, Fallback, Review, Template
from continuo.patterns.review import Escalation, Notify

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def case(**fields: Any) -> Case:
    standard: dict[str, Any] = {
        "id": "r", "run": "r", "path": "", "tenant": "acme", "pattern": "p", "requester": "eve", "question": "Allowed?",
        "text": "a comment", "decisions": ("approve", "edit", "reject", "respond"), "reasons": (), "reviewers": (),
        "policy": "one", "not_by_requester": False, "opened": NOW, "due": NOW + timedelta(days=7),
    }  # fmt: skip
    return Case(**{**standard, **fields})


def decision(case: Case, decision: str = "approve", by: str = "ann", **fields: Any) -> Decision:
    return Decision(**{"decision": decision, "by": by, "shown": case.shown, **fields})


def votes(*decisions: str) -> list[Vote]:
    return [Vote(reviewer=str(at), decision=one, time=NOW) for at, one in enumerate(decisions)]


def test_a_decision_is_taken_once_and_the_second_is_told_who_decided_when() -> None:
    open_case = case()
    done = voted(open_case, decision(open_case, note="fine"), NOW)
    assert done.verdict
    assert refusal(done, decision(done, "reject", "bob"), NOW) == (
        "it has been decided: approve by ann, 2026-11-26 12:00:00 UTC (fine)"
    )


@pytest.mark.parametrize(
    ("fields", "given", "why"),
    [
        ({}, {"shown": "other"}, "is shown now"),
        ({"decisions": ("approve",)}, {"decision": "reject"}, "reject is none of its decisions; take approve"),
        ({"reviewers": ("bob",)}, {}, "ann is none of its reviewers, who are bob"),
        ({"not_by_requester": True}, {"by": "eve"}, "eve asked for it"),
        ({"claim": Claim(by="bob", until=NOW + timedelta(minutes=1))}, {}, "bob has claimed it until 2026-11-26 12:01"),
        ({"reasons": ("spam",)}, {"decision": "reject"}, "a rejection needs one of the reasons spam"),
        ({"reasons": ("spam",)}, {"reason": "spam"}, "a reason belongs to a rejection"),
        ({}, {"decision": "edit"}, "edit and respond need a text"),
        ({}, {"text": "mine"}, "no other decision takes one"),
        ({"over": "nobody decided in time"}, {}, "nobody decided in time"),
    ],
)
def test_what_cannot_be_decided_says_why(fields: dict[str, Any], given: dict[str, Any], why: str) -> None:
    it = case(**fields)
    assert why in (refusal(it, decision(it, **given), NOW) or "")


def test_a_claim_that_has_expired_holds_nobody_back() -> None:
    it = case(claim=Claim(by="bob", until=NOW))
    assert refusal(it, decision(it), NOW) is None
    assert refusal(case(claim=Claim(by="ann", until=NOW + timedelta(hours=1))), decision(it), NOW) is None


def test_what_is_shown_has_a_digest_of_its_own() -> None:
    assert len({case().shown, case(text="another").shown, case(question="Really?").shown, case(id="s").shown}) == 4


@given(st.lists(st.sampled_from(["approve", "reject"]), min_size=1, max_size=7), st.integers(0, 5))
def test_a_group_has_decided_as_soon_as_the_rest_can_change_nothing(cast: list[str], missing: int) -> None:
    group = [str(at) for at in range(len(cast) + missing)]
    for policy, needed in (("all", len(group)), ("majority", len(group) // 2 + 1)):
        approved = cast.count("approve")
        possible = approved + missing
        expected = "approve" if approved >= needed else None if possible >= needed else "reject"
        assert outcome_of(votes(*cast), group, policy) == expected


def test_one_of_a_group_cannot_vote_twice() -> None:
    it = case(reviewers=("ann", "bob", "cy"), policy="majority")
    once = voted(it, decision(it), NOW)
    assert once.verdict is None
    assert refusal(once, decision(once), NOW) == "ann has voted already"
    twice = voted(once, decision(once, by="cy"), NOW)
    assert twice.verdict
    assert [vote.reviewer for vote in twice.verdict.votes] == ["ann", "cy"]


def test_reminders_escalation_and_due_time_come_in_their_order() -> None:
    review = Review(due=100, remind=30, escalate=Escalation(after=40, reviewers=("boss",)))
    it, events = case(due=NOW + timedelta(seconds=100)), []
    while True:
        time, event = next_event(review, it)
        events.append(((time - NOW).total_seconds(), event))
        if event == "due":
            break
        it = escalated(review, it) if event == "escalate" else it.model_copy(update={"reminders": it.reminders + 1})
    assert events == [(30, "remind"), (40, "escalate"), (60, "remind"), (90, "remind"), (100, "due")]
    assert it.reviewers == ("boss",)


def test_a_review_is_late_past_its_time_or_once_it_is_escalated() -> None:
    it = case()
    assert not it.brief().late(it.due)
    assert it.brief().late(it.due + timedelta(seconds=1))
    assert it.model_copy(update={"escalated": True}).brief().late(it.opened)


def test_an_edit_of_arguments_is_told_one_by_one() -> None:
    assert changes('{"to": "a@b.c", "sum": 3, "x": 1}', '{"to": "a@b.c", "sum": 2, "y": "é"}') == [
        "- sum: 3",
        "+ sum: 2",
        "- x: 1",
        '+ y: "é"',
    ]
    assert changes("old", "new") == ["- old", "+ new"]
    assert changes("same", "same") == []
    before, after = (
        json.dumps({"body": "Dear Ann,\nno.\nYours"}),
        json.dumps({"body": "Dear Ann,\nyes\n+ thanks.\nYours"}),
    )
    assert changes(before, after) == ["  body:", "- no.", "+ yes", "+ + thanks."]


@given(*[st.lists(st.sampled_from("abc"), min_size=1, max_size=6)] * 2)
def test_the_changed_lines_in_the_place_of_the_old_ones_make_the_new_text(old: list[str], new: list[str]) -> None:
    lines = changes("\n".join(old), "\n".join(new))
    gone, come = ([line[2:] for line in lines if line[0] == sign] for sign in "-+")
    assert any(
        [*old[:at], *come, *old[at + len(gone) :]] == new and old[at : at + len(gone)] == gone for at in range(7)
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"policy": "all"}, "name the reviewers"),
        ({"policy": "majority", "reviewers": ("a",), "decisions": ("edit",)}, "several people cannot edit"),
        ({"group": "g", "reviewers": ("a",)}, "there are reviewers and the group 'g'"),
        ({"group": "two words"}, "group"),
        ({"escalate": {"after": 2, "reviewers": ("a",), "group": "g"}}, "there are reviewers and the group 'g'"),
        ({"escalate": {"after": 2}}, "name the reviewers or a group"),
        ({"reasons": ("spam",), "decisions": ("approve",)}, "not among the decisions"),
        ({"due": 10, "remind": 10}, "remind is not before due"),
        ({"due": 10, "remind": 0.001}, "remind comes more than 1,000 times before due"),
        ({"due": 10, "escalate": {"after": 20, "reviewers": ("a",)}}, "escalate.after is not before due"),
        ({"reviewers": ("a", "a")}, "two steps are called 'a'"),
        ({"question": "{nothing}"}, "unknown placeholder"),
        ({"notify": {}}, "it tells nobody"),
        ({"notify": {"slack": "https://hooks.slack.com/services/T"}}, "notify.slack"),
    ],
)
def test_a_review_that_cannot_be_decided_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Review(**fields)


def test_a_webhook_that_is_told_nothing_is_refused_wherever_the_review_stands() -> None:
    tool = AgentTool(step=Template(text="t"), needs_approval=Review(notify=Notify(webhook="http://shop.example/hook")))
    agent = Agent(model=Call(model="m"), tools={"t": tool})
    with pytest.raises(InputError, match=r"notify\.webhook: its scheme is 'http'"):
        check_notified(agent, private=False)
    check_notified(agent, private=True)
    escalation = Escalation(after=2, reviewers=("a",), notify=Notify(webhook="https://10.0.0.1/hook"))
    with pytest.raises(InputError, match="which is no public address"):
        check_notified(Fallback(steps=(Review(due=10, escalate=escalation),)), private=False)
