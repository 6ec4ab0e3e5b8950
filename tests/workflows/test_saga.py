"""The order saga on the real shop: whatever fails, inventory, payments and shipments add up."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError

from continuo.authoring.files import load_pattern
from continuo.config.defaults import DEFAULTS
from continuo.door.runs import Handle, result
from continuo.jobs import Failure, Job
from continuo.operations.compensations import Resolution
from continuo.patterns import Deadline, Retry, Saga, Template
from continuo.testing.processes import Control, begin, failure, job, outcome, until
from tests.workflows.test_review import decide, opened

pytestmark = pytest.mark.usefixtures("worker", "simulator")

SERVICES = ("inventory", "payment", "shipping")
STEPS = ("reserve inventory", "charge payment", "create shipment")
ORDER = {
    "order_id": "T-1",
    "country": "SE",
    "card": "visa",
    "items": [{"sku": "mug", "quantity": 2, "unit_price_cents": 1250}],
}


def order(*, undo_attempts: int = 10, **changes: Any) -> Job:
    saga = load_pattern(DEFAULTS / "patterns" / "order.yaml").pattern
    assert isinstance(saga, Saga)
    quick = Retry(attempts=2, initial=0.05)

    def hurried(http: Any) -> Any:
        return http.model_copy(update={"retry": quick})

    steps = tuple(step.model_copy(update={"do": hurried(step.do), "undo": hurried(step.undo)}) for step in saga.steps)
    undo_retry = Retry(attempts=undo_attempts, initial=0.05)
    return job(saga.model_copy(update={"steps": steps, "undo_retry": undo_retry}), **{**ORDER, **changes})


async def change(shop: Control, before: dict[str, Any]) -> tuple[int, int, int]:
    """Units reserved, cents kept and parcels on their way since `before`."""
    after = await shop.get("/totals")
    assert before["stock"]["mug"] - after["stock"]["mug"] == after["reserved_units"] - before["reserved_units"]

    def kept(totals: dict[str, int]) -> int:
        return totals["charged_cents"] - totals["refunded_cents"]

    return (
        after["reserved_units"] - before["reserved_units"],
        kept(after) - kept(before),
        after["shipments"] - before["shipments"],
    )


async def log(handle: Handle) -> list[str]:
    return [point["name"] for point in await handle.query("log", result_type=list[dict[str, Any]])]


async def test_an_order_is_reserved_charged_and_shipped(client: Client, shop: Control) -> None:
    before = await shop.get("/totals")
    found = await outcome(client, order())
    assert [point.name for point in found.checkpoints] == [f"{step} done" for step in STEPS]
    assert await change(shop, before) == (2, 2500, 1)


@pytest.mark.parametrize("after", [False, True], ids=["before the deed", "after the deed, its answer lost"])
@pytest.mark.parametrize("failing", range(3), ids=SERVICES)
async def test_a_failure_at_any_step_undoes_all_in_reverse(
    client: Client, shop: Control, failing: int, after: bool
) -> None:
    before = await shop.get("/totals")
    # Every attempt fails; the deed of a lost answer is done all the same.
    await shop.put(f"/_faults/{SERVICES[failing]}", method="PUT", count=2, status=503, after=after)
    found = await failure(client, order())
    assert found.type == "SagaFailed"
    assert [point.name for point in found.checkpoints] == [
        *(f"{step} done" for step in STEPS[:failing]),
        f"{STEPS[failing]} failed",
        *(f"{step} undone" for step in reversed(STEPS[: failing + 1])),
    ]
    assert await change(shop, before) == (0, 0, 0)


async def test_a_declined_card_releases_what_was_reserved(client: Client, shop: Control) -> None:
    before = await shop.get("/totals")
    found = await failure(client, order(card="declined"))
    assert "402 the card was declined" in found.message
    assert await change(shop, before) == (0, 0, 0)


async def test_each_compensation_that_fails_is_retried_until_it_succeeds(client: Client, shop: Control) -> None:
    before = await shop.get("/totals")
    for service in SERVICES:
        await shop.put(f"/_faults/{service}", method="DELETE", count=5, status=500)
    found = await failure(client, order(country="AQ"))
    names = [point.name for point in found.checkpoints]
    for step in STEPS:
        assert [name for name in names if name.startswith(f"{step} undo failed")]
    assert [name for name in names if name.endswith("undone")] == [f"{step} undone" for step in reversed(STEPS)]
    assert await change(shop, before) == (0, 0, 0)


@pytest.mark.parametrize("slow", range(3), ids=SERVICES)
async def test_a_cancellation_during_any_step_undoes_all(client: Client, shop: Control, slow: int) -> None:
    before = await shop.get("/totals")
    await shop.put(f"/_faults/{SERVICES[slow]}", method="PUT", count=1, status=None, latency=60)
    handle = await begin(client, order())

    async def reached() -> bool:
        return len(await log(handle)) == slow

    await until(reached)
    await handle.cancel()
    found = await result(handle)
    assert isinstance(found, Failure)
    assert found.type == "Cancelled"
    assert await change(shop, before) == (0, 0, 0)
    assert (await log(handle))[slow:] == [
        f"{STEPS[slow]} cancelled",
        *(f"{step} undone" for step in reversed(STEPS[: slow + 1])),
    ]


async def parked(handle: Handle, name: str) -> None:
    async def waits() -> bool:
        return bool(await handle.query("parked", result_type=list[str]) == [name])

    await until(waits)


@pytest.mark.parametrize(("decision", "ending", "cents"), [("retry", "undone", 0), ("skip", "skip by hand", 2500)])
async def test_a_compensation_that_keeps_failing_waits_for_a_person(
    client: Client, shop: Control, decision: Any, ending: str, cents: int
) -> None:
    before = await shop.get("/totals")
    await shop.put("/_faults/payment", method="DELETE", count=100, status=500)
    handle = await begin(client, order(undo_attempts=2, country="AQ"))
    await parked(handle, "charge payment")
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await handle.execute_update("resolve", Resolution(step="create shipment", decision="skip", by="ada"))
    assert "'create shipment' is not parked; parked: charge payment" in str(raised.value.__cause__)
    await shop.delete("/_faults")
    resolution = Resolution(step="charge payment", decision=decision, by="ada", note="by hand")
    await handle.execute_update("resolve", resolution)
    found = await result(handle)
    assert isinstance(found, Failure)
    names = [point.name for point in found.checkpoints]
    assert any(name.startswith("charge payment") and name.endswith(ending) for name in names)
    assert names[-1] == "reserve inventory undone"
    assert await change(shop, before) == (0, cents, 0)


@pytest.mark.parametrize(("decision", "cents"), [("approve", 0), ("reject", 2500)])
async def test_a_parked_compensation_is_a_review_that_decides_it_too(
    client: Client, shop: Control, decision: str, cents: int
) -> None:
    before = await shop.get("/totals")
    await shop.put("/_faults/payment", method="DELETE", count=100, status=500)
    handle = await begin(client, order(undo_attempts=1, country="AQ"))
    await parked(handle, "charge payment")
    review = client.get_workflow_handle(f"{handle.id}.charge payment.parked")
    case = await opened(review)
    assert "The compensation of 'charge payment' fails" in case.question
    assert "charge payment undo failed" in case.text
    await shop.delete("/_faults")
    await decide(review, case, decision)
    found = await result(handle)
    assert isinstance(found, Failure)
    assert found.checkpoints[-1].name == "reserve inventory undone"
    assert await change(shop, before) == (0, cents, 0)


async def test_a_review_of_a_compensation_ends_when_that_is_resolved_otherwise(client: Client, shop: Control) -> None:
    await shop.put("/_faults/payment", method="DELETE", count=100, status=500)
    handle = await begin(client, order(undo_attempts=1, country="AQ"))
    await parked(handle, "charge payment")
    review = client.get_workflow_handle(f"{handle.id}.charge payment.parked")
    await opened(review)
    await shop.delete("/_faults")
    await handle.execute_update("resolve", Resolution(step="charge payment", decision="retry", by="ada"))
    await result(handle)
    assert (await review.describe()).status == WorkflowExecutionStatus.CANCELED


async def test_the_log_of_a_running_saga_is_a_query(client: Client, shop: Control) -> None:
    await shop.put("/_faults/shipping", method="PUT", count=1, status=None, latency=3)
    handle = await begin(client, order())

    async def two_done() -> bool:
        return await log(handle) == [f"{step} done" for step in STEPS[:2]]

    await until(two_done)
    await asyncio.wait_for(handle.result(), 30)


async def test_the_log_of_a_saga_that_took_too_long_is_part_of_the_outcome(client: Client, shop: Control) -> None:
    await shop.put("/_faults/payment", method="PUT", count=1, status=None, latency=60)
    asked = order()
    late = Deadline(asked.step, limit=1.5, otherwise=Template(text="Later."))
    found = await outcome(client, asked.model_copy(update={"step": late}))
    assert found.text == "Later."
    assert [point.name for point in found.checkpoints] == [
        "reserve inventory done",
        "charge payment cancelled",
        "charge payment undone",
        "reserve inventory undone",
    ]
