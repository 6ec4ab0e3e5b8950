"""The pages of `/ui` show what there is of a person's tenant and do what the commands do; what is typed is text."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.door.collecting import row_of
from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.operations.runs import RunRow
from continuo.patterns import Review, Split, Template, Variant
from continuo.protection.breaker import workflow_id
from continuo.stores.ratings import ratings_of
from continuo.stores.runs import Runs
from continuo.temporal.namespace import namespace_of
from continuo.testing.processes import Control, job, until
from tests.gateway.test_reviews import begun
from tests.starters.test_dead_letters import listed
from tests.starters.test_runs import ran
from tests.support.gateway import GatewayProcess
from tests.support.pages import Browser, browsing, stored, text_of
from tests.workflows.test_dead_letter import FAILS, buried

pytestmark = pytest.mark.usefixtures("worker", "simulator")

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>{{ 7 * 7 }}"
CANARY = f"\"'>{MARKUP}"

LISTS = (
    "/runs", "/reviews", "/dead-letters", "/costs", "/costs?by=user", "/budgets", "/breakers", "/jobs", "/batches",
    "/patterns", "/playground", "/cache", "/guardrails", "/keys", "/rate",
)  # fmt: skip


def is_text(page: str) -> bool:
    """Whether the canary is on the page, and nothing of it is markup."""
    return "<img" not in page and "<script>" not in page and MARKUP in unescape(page)


def row(tenant: str, number: int, **fields: object) -> RunRow:
    values = {
        "run_id": str(uuid4()),
        "workflow_id": f"run-{tenant}-{number}",
        "tenant": tenant,
        "pattern": "support",
        "kind": "fallback",
        "status": "done",
        "started": datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number),
        "ended": datetime(2026, 11, 2, tzinfo=UTC),
        "cost_usd": 0.5,
        **fields,
    }
    return RunRow.model_validate(values)


@pytest.fixture
async def tenant() -> str:
    return f"t{uuid4().hex[:10]}"


@pytest.fixture
async def admin(gateway: GatewayProcess, tenant: str) -> AsyncIterator[Browser]:
    async with browsing(gateway, tenant, role="admin", name="ann") as browser:
        yield browser


async def test_each_list_is_shown_where_there_is_nothing_yet(admin: Browser) -> None:
    assert [path for path in LISTS if "<h1>" not in await admin.see(path)] == []


async def test_runs_are_listed_page_by_page_with_totals_of_all_that_are_wanted(admin: Browser, tenant: str) -> None:
    async with stored() as database:
        rows = [row(tenant, number, status="failed" if number % 4 == 0 else "done") for number in range(120)]
        await Runs(database, "pages").keep([*rows, row("umbra", 1)])
    page, seen = await admin.see("/runs"), list[str]()
    assert "runs 120 done 90 failed 30 cost $60.00" in text_of(page)
    while True:
        seen += re.findall(rf"<a href=\"/ui/run\?id=(run-{tenant}-\d+)\"", page)
        if (older := re.search(r'href="/ui(/runs\?[^"]*)">Older', page)) is None:
            break
        page = await admin.see(older[1].replace("&amp;", "&"))
        assert "runs 120" in text_of(page)
    assert seen == [f"run-{tenant}-{number}" for number in reversed(range(120))]
    failed = await admin.see("/runs", status="failed", pattern="support", tenant="umbra")
    assert "runs 30 failed 30" in text_of(failed)


async def test_what_people_have_typed_is_text_on_every_page(
    gateway: GatewayProcess, client: Client, simulator: Control, admin: Browser, tenant: str
) -> None:
    async with stored() as database:
        fields = ("workflow_id", "user", "pattern", "model", "label", "error", "parent", "shadow_of")
        texts = dict.fromkeys(fields, CANARY)
        hostile = row(
            tenant,
            1,
            **{**texts, "workflow_id": f"{tenant}{CANARY}"},
            job=f"{tenant}{CANARY}",
            metadata={CANARY: CANARY},
        )
        await Runs(database, (await namespace_of(client)).id).keep([hostile])
    handle, case = await begun(client, tenant, Review(question=CANARY, reasons=(CANARY,)))
    await simulator.behave("sim-premium", status=503, error_message=CANARY)
    failing = job(FAILS, CANARY)
    failing = failing.model_copy(update={"context": failing.context.model_copy(update={"tenant": tenant})})
    letter = await buried(client, failing, f"hostile-{uuid4()}")
    await simulator.delete("/_sim/models")
    await listed(client, letter.id)
    pages = [
        await admin.see("/runs"),
        await admin.see("/runs", pattern=CANARY),
        await admin.see("/run", id=hostile.workflow_id),
        await admin.see("/jobs"),
        await admin.see("/reviews"),
        page := await admin.see("/review", id=case.id),
        await admin.see("/dead-letters"),
        await admin.see("/dead-letter", id=letter.id),
        (await admin.http.get("/ui/run", params={"id": CANARY})).text,
        (await admin.http.get("/ui/costs", params={"since": CANARY})).text,
        (await admin.send("/playground", page, pattern=CANARY, prompt=CANARY)).text,
        (await admin.send("/review", page, id=case.id, decision="edit", note=CANARY)).text,
    ]
    async with browsing(gateway, tenant, role="admin", name=CANARY) as other:
        pages.append(await other.see("/keys"))
    assert [number for number, page in enumerate(pages) if not is_text(page)] == []
    await handle.cancel()
    await letter.signal("discard", "")


async def test_a_review_is_decided_once_on_what_was_shown_by_the_name_of_the_key(
    gateway: GatewayProcess, client: Client, tenant: str
) -> None:
    handle, case = await begun(client, tenant, Review(question="Publish it?", reasons=("rude",)))
    async with browsing(gateway, tenant, role="reviewer", name="bob") as bob:
        page = await bob.see("/review", id=case.id)
        assert f'name="shown" value="{case.shown}"' in page
        stale = await bob.send("/review", page, id=case.id, decision="approve", shown="0" * 16)
        assert (stale.status_code, "look at it again" in text_of(stale.text)) == (409, True)
        bare = await bob.send("/review", page, id=case.id, decision="reject", shown=case.shown, reason="")
        assert (bare.status_code, "one of the reasons" in text_of(bare.text)) == (409, True)
        fields = {"id": case.id, "shown": case.shown, "note": "shorter"}
        done = await bob.send("/review", page, decision="edit", text="One\r\ntwo", **fields)
        assert done.status_code == 303
        assert "edit by bob" in text_of((await bob.http.get(done.headers["location"])).text)
        again = await bob.send("/review", page, decision="approve", **fields)
        assert (again.status_code, "edit by bob" in text_of(again.text)) == (409, True)
    end = await result(handle)
    assert isinstance(end, Outcome)
    assert (end.text, end.verdict and end.verdict.note) == ("One\ntwo", "shorter")


async def test_an_answer_is_rated_blindly_by_the_name_of_the_key(
    gateway: GatewayProcess, client: Client, tenant: str
) -> None:
    handle = await ran(
        client, tenant, Split(variants={"secret": Variant(step=Template(text="<img> It is on its way."))})
    )
    rated = await row_of(client, await handle.describe())
    assert rated is not None
    async with stored() as database:
        await Runs(database, (await namespace_of(client)).id).keep([rated])
    scores = {"run_id": rated.run_id, "relevance": "5", "accuracy": "4", "helpfulness": "1"}
    async with browsing(gateway, tenant, role="reviewer", name="rae") as rae:
        page = await rae.see("/rate", pattern="test", variant="secret")
        assert "<img> It is on its way." in text_of(page)
        assert "Where is my order?" in page
        assert page.count("secret") == page.count('name="variant"')
        assert "Nothing is left to rate." in await rae.see("/rate", skipped=rated.run_id)
        assert (await rae.send("/rate", page, **{**scores, "relevance": "6"})).status_code == 400
        async with browsing(gateway, "umbra", role="reviewer") as other:
            assert (await other.send("/rate", await other.see("/rate"), **scores)).status_code == 404
        done = await rae.send("/rate", page, **scores, pattern="test")
        assert done.headers["location"].startswith("/ui/rate?")
        assert "Nothing is left to rate." in (await rae.http.get(done.headers["location"])).text
    async with stored() as database:
        given = await ratings_of(database, [rated.run_id])
    assert {one.dimension: (one.rater, one.value) for one in given} == {
        "relevance": ("rae", 1),
        "accuracy": ("rae", 0.75),
        "helpfulness": ("rae", 0),
    }


async def test_nothing_of_another_tenant_is_shown_or_acted_on(
    gateway: GatewayProcess, client: Client, simulator: Control, tenant: str
) -> None:
    handle, case = await begun(client, tenant, Review())
    await simulator.behave("sim-premium", status=503)
    letter = await buried(client, job(FAILS), f"theirs-{uuid4()}")
    await simulator.delete("/_sim/models")
    await listed(client, letter.id)
    shown = (("/run", handle.id), ("/run/live", handle.id), ("/review", case.id), ("/dead-letter", letter.id))
    async with browsing(gateway, "umbra", role="admin") as other:
        page = await other.see("/runs", tenant=tenant)
        for path, id in shown:
            assert (await other.http.get(f"/ui{path}", params={"id": id})).status_code == 404
        for path, fields in {
            "/run/cancel": {"id": handle.id},
            "/review": {"id": case.id, "decision": "approve", "shown": case.shown},
            "/dead-letter": {"id": letter.id, "act": "discard"},
            "/batches": {"id": "b", "tenant": tenant, "act": "cancel"},
        }.items():
            assert (await other.send(path, page, **fields)).status_code == 404
        assert handle.id not in await other.see("/reviews", tenant=tenant)
        assert letter.id not in await other.see("/dead-letters", tenant="acme")
    await handle.cancel()
    await letter.signal("discard", "")


async def test_a_letter_is_retried_and_given_up(gateway: GatewayProcess, client: Client, simulator: Control) -> None:
    await simulator.behave("sim-premium", status=503)
    first, second = [await buried(client, job(FAILS), f"page-{uuid4()}") for _ in range(2)]
    await simulator.delete("/_sim/models")
    await listed(client, first.id, second.id)
    async with browsing(gateway, "acme", role="operator", name="ola") as ola:
        page = await ola.see("/dead-letter", id=first.id)
        wrong = await ola.send("/dead-letter", page, id=first.id, act="retry", pattern="nothing")
        assert (wrong.status_code, "nothing" in wrong.text) == (400, True)
        assert (await ola.send("/dead-letter", page, id=first.id, act="retry")).status_code == 303
        assert (await ola.send("/dead-letter", page, id=second.id, act="discard", note="old")).status_code == 303
    assert (await first.result()).by == "answered"
    assert ((end := await second.result()).by, end.note) == ("discarded", "ola: old")


async def test_a_breaker_is_forced_and_reset_by_who_operates_for_every_tenant(
    gateway: GatewayProcess, client: Client
) -> None:
    async with browsing(gateway, role="operator", admin=True, name="ola") as ola:

        async def shown(state: str) -> None:
            async def there() -> bool:
                return f"ollama {state}" in text_of(await ola.see("/breakers"))

            await until(there)

        page = await ola.see("/breakers")
        assert (await ola.send("/breakers", page, provider="ollama", act="force_open", note=CANARY)).status_code == 303
        await shown("open, forced down")
        assert f"ola: {CANARY}" in text_of(await ola.see("/breakers"))
        assert is_text(await ola.see("/breakers"))
        assert (await ola.send("/breakers", page, provider="ollama", act="reset")).status_code == 303
        await shown("closed healthy")
        assert (await ola.send("/breakers", page, provider="ollama", act="burn")).status_code == 400
    await client.get_workflow_handle(workflow_id("ollama")).terminate()


async def test_the_playground_runs_a_pattern_and_shows_its_tree_answer_and_costs(admin: Browser) -> None:
    page = await admin.see("/playground")
    empty = await admin.send("/playground", page, pattern="support", prompt=" ")
    assert (empty.status_code, "prompt: write one" in empty.text) == (400, True)
    started = await admin.send("/playground", page, pattern="support", prompt="Where is <b>it</b>?")
    assert started.status_code == 303
    where = started.headers["location"].removeprefix("/ui")

    async def ended() -> bool:
        return "status done" in text_of(await admin.see(where))

    await until(ended)
    run = text_of(await admin.see(where))
    assert re.search(r"tier1: sim-premium done \d", run)
    assert "This run in Temporal's UI" in run
    assert "Answer [simulated" in run
    # Nothing is asked for again when it has ended.
    assert "hx-get" not in await admin.see(where)
    pattern = text_of(await admin.see("/pattern", name="support"))
    assert re.search(r"tier1 call sim-premium .*: 1 calls, \$", pattern)
    assert re.search(r"spent \$0\.\d+ saved", text_of(await admin.see("/costs", by="model")))


async def test_a_key_that_is_limited_to_patterns_runs_no_other(gateway: GatewayProcess) -> None:
    async with browsing(gateway, role="operator", patterns=("support",)) as browser:
        page = await browser.see("/playground")
        assert re.findall(r"<option[^>]*>([^<]*)", page) == ["support"]
        refused = await browser.send("/playground", page, pattern="moderation", prompt="x")
        assert refused.status_code == 403
        assert (await browser.http.get("/ui/pattern?name=moderation")).status_code == 404
