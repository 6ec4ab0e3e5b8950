"""A tenant's money, on real runs: what is spent, what is refused, and who answers then."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.door.runs import result
from continuo.jobs import CallRecord, Context, Job, KeyTerms, Outcome
from continuo.patterns import Call, Fallback, Retry, Route, Step, Template
from continuo.patterns.choices import BudgetUse
from continuo.stores.budgets import Balance, Budgets
from continuo.stores.journal import Journal
from continuo.stores.opened import open_store
from continuo.testing.processes import Control, begin, failure, job, outcome
from tests.support.stores import record

pytestmark = pytest.mark.usefixtures("worker")
DEAR = Call(model="sim-premium", max_tokens=100, retry=Retry(attempts=1))


def of(tenant: str, step: Step, prompt: str = "Where is my order?", key: KeyTerms | None = None) -> Job:
    asked = job(step, prompt)
    return asked.model_copy(update={"context": asked.context.model_copy(update={"tenant": tenant, "key": key})})


async def balance(tenant: str) -> Balance:
    database = open_store(Settings(), environment())
    try:
        return await Budgets(database).balance(tenant, datetime.now(UTC).date())
    finally:
        await database.aclose()


async def spend(tenant: str, usd: float) -> None:
    """As if the tenant had spent that much more today."""
    database = open_store(Settings(), environment())
    call = CallRecord(path="", model="m", provider="p", status="ok", cost_usd=usd)
    spent = Outcome(text="", served_by="model", calls=(call,))
    context = Context(pattern="test", tenant=tenant)
    await record(Journal(database), str(uuid4()), spent, context, datetime.now(UTC).date())
    await database.aclose()


async def begin_the_day(tenant: str) -> None:
    """As if the tenant had spent nothing today, also where a first try of the test has."""
    database = open_store(Settings(), environment())
    await database.write(lambda connection: connection.execute("DELETE FROM accounts WHERE tenant = ?", (tenant,)))
    await database.aclose()


async def test_a_spent_budget_refuses_what_costs_and_says_what_to_do(client: Client, simulator: Control) -> None:
    found = await failure(client, of("broke", DEAR))
    assert found.type == "budget_spent"
    assert "tenant 'broke' has spent $0.000000 and reserved $0.000000 of $0.00" in found.message
    assert "(Europe/Berlin)" in found.message
    assert "raise daily_usd in config/tenants.toml" in found.message
    assert await simulator.calls() == []


async def test_a_free_model_answers_when_the_budget_is_spent(client: Client, simulator: Control) -> None:
    found = await outcome(client, of("broke", Fallback(steps=(DEAR, Call(model="sim-free")))))
    assert (found.model, found.tier) == ("sim-free", 2)
    assert found.reasons[0].startswith("tier 1: budget_spent: tenant 'broke' has spent")
    assert len(await simulator.calls()) == 1


async def test_a_model_without_a_price_is_no_free_one(client: Client, simulator: Control) -> None:
    found = await failure(client, of("broke", Call(model="sim-unpriced")))
    assert "model 'sim-unpriced' no price; give it one in the catalog" in found.message
    assert await simulator.calls() == []


@pytest.mark.chaos
async def test_together_calls_never_exceed_the_budget_and_nothing_stays_reserved(
    client: Client, simulator: Control
) -> None:
    """A hundred at once, each of which may cost half a cent of ten."""
    await simulator.behave("sim-premium", tokens={"input": 100, "output": 100})
    long = "Where is my order? " * 15
    await begin_the_day("modest")
    handles = await asyncio.gather(*(begin(client, of("modest", DEAR, long)) for _ in range(100)))
    found = await asyncio.gather(*map(result, handles))
    answered = [one for one in found if isinstance(one, Outcome)]
    refused = [one for one in found if not isinstance(one, Outcome)]
    assert {one.type for one in refused} == {"budget_spent"}
    assert answered
    after = await balance("modest")
    assert after.spent == pytest.approx(sum(one.cost_usd or 0 for one in answered))
    assert after.spent <= 0.1
    assert after.reserved == 0


@pytest.mark.chaos
async def test_calls_of_a_key_never_exceed_its_budget_and_another_key_of_the_tenant_is_not_concerned(
    client: Client, simulator: Control
) -> None:
    """Each may cost half a cent of two."""
    await simulator.behave("sim-premium", tokens={"input": 100, "output": 100})
    key = KeyTerms(id=uuid4().hex[:12], daily_usd=0.02)
    long = "Where is my order? " * 15
    handles = await asyncio.gather(*(begin(client, of("keyed", DEAR, long, key)) for _ in range(30)))
    found = await asyncio.gather(*map(result, handles))
    answered = [one for one in found if isinstance(one, Outcome)]
    refused = [one for one in found if not isinstance(one, Outcome)]
    assert {one.type for one in refused} == {"budget_spent"}
    assert f"key {key.id} has spent" in refused[0].message
    assert "of $0.02 for" in refused[0].message
    assert (await outcome(client, of("keyed", DEAR, long, KeyTerms(id=uuid4().hex[:12])))).model == "sim-premium"
    database = open_store(Settings(), environment())
    spent = await database.read("SELECT spent_nanousd FROM key_accounts WHERE api_key = ?", (key.id,))
    reserved = await database.read("SELECT * FROM reservations WHERE api_key = ?", (key.id,))
    await database.aclose()
    paid = sum(one.cost_usd or 0 for one in answered)
    assert 0 < paid <= 0.02
    assert [row["spent_nanousd"] / 1e9 for row in spent] == pytest.approx([paid, paid])
    assert reserved == []


async def test_a_failed_call_gives_back_what_was_reserved_and_a_charged_one_pays(
    client: Client, simulator: Control
) -> None:
    before = (await balance("roomy")).spent
    await simulator.behave("sim-premium", status=503)
    await failure(client, of("roomy", DEAR))
    await simulator.behave("sim-premium", fault="refusal", tokens={"input": 10, "output": 0})
    await failure(client, of("roomy", DEAR))
    found = await balance("roomy")
    assert found.spent - before == pytest.approx(0.0001)
    assert found.reserved == 0


async def test_under_a_budget_an_open_answer_gets_a_limit(client: Client, simulator: Control) -> None:
    await outcome(client, of("roomy", Call(model="sim-mid")))
    await outcome(client, of("anyone", Call(model="sim-mid")))
    budgeted, other = await simulator.calls()
    assert budgeted["body"]["max_completion_tokens" if "max_completion_tokens" in budgeted["body"] else "max_tokens"]
    assert not {"max_tokens", "max_completion_tokens"} & other["body"].keys()


async def test_a_route_by_budget_goes_from_premium_to_mid_to_free(client: Client, simulator: Control) -> None:
    step = Route(by=BudgetUse(), branches={name: Template(text=name) for name in ("premium", "mid", "free")})
    assert (await outcome(client, of("no-budget", step))).text == "premium"
    await begin_the_day("spender")
    told = []
    for usd in (0.0, 0.5, 0.3):
        await spend("spender", usd)
        told.append((await outcome(client, of("spender", step))).text)
    assert told == ["premium", "mid", "free"]
