"""`/v1/reviews`: what waits for a person is listed and decided by the tenant's keys alone."""

import json
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from continuo.config.settings import Settings, environment
from continuo.decisions.review import Case
from continuo.door.reviews import open_reviews
from continuo.door.runs import Handle, result, start
from continuo.jobs import Outcome
from continuo.patterns import Review
from continuo.stores.audit import links
from continuo.stores.opened import open_store
from continuo.testing.processes import job as made
from continuo.testing.processes import until
from tests.support.gateway import GatewayProcess, new_key
from tests.workflows.test_review import opened

pytestmark = pytest.mark.usefixtures("worker")


async def begun(client: Client, tenant: str, review: Review) -> tuple[Handle, Case]:
    job = made(review, "A comment.")
    context = job.context.model_copy(update={"tenant": tenant, "pattern": "moderation"})
    job = job.model_copy(update={"context": context})
    # Ids of orders hold slashes.
    handle = await start(client, job, id=f"review/{tenant}/{uuid4().hex}", weight=1.0)
    case = await opened(handle)

    async def listed() -> bool:
        return handle.id in [brief.id for brief in await open_reviews(client, tenant)]

    await until(listed)
    return handle, case


async def posted(http: httpx.AsyncClient, case: Case, action: str, **body: Any) -> httpx.Response:
    return await http.post(f"/v1/reviews/{quote(case.id, safe='')}/{action}", json=body)


async def test_a_review_is_listed_read_claimed_and_decided(client: Client, gateway: GatewayProcess) -> None:
    tenant = f"t{uuid4().hex[:10]}"
    handle, case = await begun(client, tenant, Review(question="Publish it?"))
    late, _ = await begun(client, tenant, Review(due=29 * 86400.0))
    async with gateway.http(await new_key(tenant)) as http:
        page = (await http.get("/v1/reviews", params={"limit": 1})).json()
        assert ([one["id"] for one in page["data"]], page["has_more"]) == ([handle.id], True)
        rest = (await http.get("/v1/reviews", params={"after": handle.id})).json()
        assert ([one["id"] for one in rest["data"]], rest["has_more"]) == ([late.id], False)
        whole = (await http.get(f"/v1/reviews/{case.id}")).json()
        assert (whole["object"], whole["text"], whole["shown"]) == ("review", "A comment.", case.shown)
        claimed = await posted(http, case, "claim", by="ann", seconds="1m")
        assert claimed.json()["claim"]["by"] == "ann"
        other = await posted(http, case, "approve", by="bob", shown=case.shown)
        assert (other.status_code, other.json()["error"]["code"]) == (409, "review_refused")
        assert (await posted(http, case, "release", by="ann")).status_code == 200
        done = await posted(http, case, "edit", by="bob", shown=case.shown, text="Mine.", note="for ada@example.org")
        assert (done.json()["verdict"]["reviewer"], "ada@" in done.text) == ("bob", False)
        again = await posted(http, case, "approve", by="ann", shown=case.shown)
        assert again.status_code == 409
        assert "decided: edit by bob" in again.json()["error"]["message"]
        assert again.headers["x-should-retry"] == "false"
    end = await result(handle)
    assert isinstance(end, Outcome)
    assert end.text == "Mine."
    await until(partial(audited, tenant, "edit"))
    await late.cancel()


async def audited(tenant: str, verdict: str) -> bool:
    store = open_store(Settings(), environment())
    try:
        entries = [json.loads(link.entry) async for link in links(store, tenant)]
    finally:
        await store.aclose()
    return [one["verdict"] for one in entries if one["event"] == "decided"] == [verdict]


async def test_other_tenants_and_keys_without_the_pattern_see_nothing(client: Client, gateway: GatewayProcess) -> None:
    tenant = f"t{uuid4().hex[:10]}"
    handle, case = await begun(client, tenant, Review())
    for secret in (await new_key("umbra"), await new_key(tenant, patterns=("support",))):
        async with gateway.http(secret) as http:
            assert (await http.get("/v1/reviews")).json()["data"] == []
            assert (await http.get(f"/v1/reviews/{case.id}")).status_code == 404
            refused = await posted(http, case, "approve", by="eve", shown=case.shown)
            assert (refused.status_code, refused.json()["error"]["code"]) == (404, "review_not_found")
    await handle.cancel()


@pytest.mark.parametrize(
    ("action", "body", "param"),
    [
        ("approve", {"shown": "x"}, "by"),
        ("approve", {"by": "ann", "shown": "x", "what": 1}, "what"),
        ("claim", {"by": "ann", "seconds": 0}, "seconds"),
        ("claim", {"by": "ann", "seconds": "soon"}, "seconds"),
        ("release", {"by": " "}, "by"),
    ],
)
async def test_a_wrong_field_is_named(gateway: GatewayProcess, action: str, body: dict[str, Any], param: str) -> None:
    async with gateway.http() as http:
        response = await http.post(f"/v1/reviews/nothing/{action}", json=body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
