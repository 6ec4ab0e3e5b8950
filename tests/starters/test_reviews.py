"""`continuo reviews` on the real server: what waits for a person is found, claimed and decided."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.decisions.review import Case
from continuo.door.inspection import inspected
from continuo.door.reviews import open_reviews
from continuo.door.runs import Handle, result
from continuo.errors import InputError
from continuo.jobs import Failure, Outcome
from continuo.patterns import Fallback, Review, Template
from continuo.starters.commands import reviews
from continuo.starters.commands.show import show
from continuo.testing.processes import begin, job, until
from tests.support.commands import continuo
from tests.workflows.test_review import opened

pytestmark = pytest.mark.usefixtures("worker")


async def begun(client: Client, review: Review, tenant: str) -> tuple[Handle, Case]:
    """A review that the server lists."""
    asking = job(review, "Selling a bicycle.")
    context = asking.context.model_copy(update={"tenant": tenant, "user": "eve"})
    handle = await begin(client, asking.model_copy(update={"context": context}))
    case = await opened(handle)

    async def listed() -> bool:
        return handle.id in [brief.id for brief in await open_reviews(client, tenant)]

    await until(listed)
    return handle, case


@pytest.fixture
def tenant() -> str:
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
async def waiting(client: Client, tenant: str) -> AsyncIterator[tuple[Handle, Case]]:
    handle, case = await begun(client, Review(reasons=("spam",), question="Publish it?"), tenant)
    yield handle, case
    # A run that has been decided has ended.
    await handle.cancel()


async def test_they_are_listed_for_people_and_for_programs_by_due_time(client: Client, tenant: str) -> None:
    late, _ = await begun(client, Review(due=3600), tenant)
    soon, case = await begun(client, Review(due=60, question="\x1b[2JNow?", reviewers=("ann",)), tenant)
    table = await continuo("reviews", "--tenant", tenant)
    assert table.code == 0, table.err
    assert table.out.index(soon.id) < table.out.index(late.id)
    assert "\x1b" not in table.out
    rows = json.loads((await continuo("reviews", "--tenant", tenant, "--json")).out)
    assert [row["id"] for row in rows] == [soon.id, late.id]
    assert rows[0]["reviewers"] == ["ann"]
    whole = json.loads((await continuo("reviews", "show", soon.id, "--json")).out)
    assert (whole["text"], whole["shown"]) == ("Selling a bicycle.", case.shown)
    for handle in (late, soon):
        await handle.cancel()


async def test_the_next_one_is_claimed_shown_and_decided(
    waiting: tuple[Handle, Case], tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    handle, case = waiting
    assert await reviews.next_review(by="ann", tenant=tenant) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in (handle.id, "Publish it?", "Selling a bicycle.", case.shown, "claimed", "eve"))
    assert await reviews.next_review(by="bob", tenant=tenant) == 1
    with pytest.raises(InputError, match="ann has claimed it until"):
        await reviews.approve(handle.id, by="bob", shown=case.shown)
    await reviews.release(handle.id, by="ann")
    await reviews.approve(handle.id, by="bob", shown=case.shown, note="fine")
    assert "approve by bob" in capsys.readouterr().out
    end = await result(handle)
    assert isinstance(end, Outcome)
    assert end.text == "Selling a bicycle."
    with pytest.raises(InputError, match=r"it has been decided: approve by bob, .* \(fine\)"):
        await reviews.reject(handle.id, by="ann", shown=case.shown, reason="spam")


async def test_a_run_that_is_shown_tells_what_it_waits_for_and_then_who_decided(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = await begin(client, job(Fallback(steps=(Review(step=Review()), Template(text="Sorry.")))))
    outer = f"{handle.id}.tier1"
    for review in (f"{outer}.step", outer):
        case = await opened(client.get_workflow_handle(review))
        inspection = await inspected(client, handle.id)
        assert inspection is not None
        assert inspection.reviews == [review]
        await show(handle.id)
        assert "waits for a person" in capsys.readouterr().out
        await reviews.approve(review, by="ann", shown=case.shown)
    await result(handle)
    await show(handle.id)
    text = capsys.readouterr().out
    assert "reviewed: approve by ann" in text
    assert "waits for a person" not in text


async def test_a_run_that_is_one_review_waits_for_itself(client: Client, waiting: tuple[Handle, Case]) -> None:
    inspection = await inspected(client, waiting[0].id)
    assert inspection is not None
    assert inspection.reviews == [waiting[0].id]


async def test_an_edit_and_a_rejection_reach_the_run(client: Client, tenant: str) -> None:
    handle, case = await begun(client, Review(), tenant)
    # The beginning of an id is enough.
    await reviews.edit(handle.id[:-2], "Selling two.", by="ann", shown=case.shown)
    end = await result(handle)
    assert isinstance(end, Outcome)
    assert end.text == "Selling two."
    handle, case = await begun(client, Review(), tenant)
    await reviews.reject(handle.id, by="ann", shown=case.shown)
    assert isinstance(await result(handle), Failure)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"shown": "0123"}, "is shown now; look at it again"),
        ({"by": "", "shown": None}, "by: String should have at least 1 character"),
    ],
)
async def test_what_cannot_be_decided_is_one_line(
    waiting: tuple[Handle, Case], given: dict[str, Any], why: str
) -> None:
    handle, case = waiting
    told = {"by": "ann", **given}
    with pytest.raises(InputError, match=why):
        await reviews.approve(handle.id, by=told["by"], shown=told["shown"] or case.shown)


@pytest.mark.parametrize("id", ["nothing-of-that-name", "", "x" * 2000, "it's"])
async def test_what_is_no_review_is_one_line(client: Client, id: str) -> None:
    with pytest.raises(InputError, match=r"no review.* see `continuo reviews`"):
        await reviews.show(id)


async def test_a_tenant_that_can_be_none_is_one_line(client: Client) -> None:
    with pytest.raises(InputError, match="tenant: \"it's\" is no tenant's name"):
        await reviews.list_reviews(tenant="it's")
