"""What Prometheus reads of a gateway."""

import json
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from continuo.testing.processes import until
from tests.support.gateway import GatewayProcess, new_key

# As no earlier test has told its models to be.
pytestmark = pytest.mark.usefixtures("simulator")


async def scraped(gateway: GatewayProcess, secret: str) -> list[Sample]:
    async with gateway.http(secret) as http:
        response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return [one for family in text_string_to_metric_families(response.text) for one in family.samples]


def of(samples: list[Sample], name: str, **labels: str) -> Iterator[float]:
    return (one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


async def test_only_an_admin_key_reads_them(gateway: GatewayProcess) -> None:
    async with gateway.http() as http:
        refused = await http.get("/metrics")
        unknown = await http.get("/metrics", headers={"authorization": "Bearer wrong"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_admin")
    assert unknown.status_code == 401


async def test_they_tell_requests_by_route_what_the_stores_know_and_what_the_sdk_counts(
    gateway: GatewayProcess,
) -> None:
    admin = await new_key(admin=True)
    async with gateway.http() as http:
        await http.get("/nowhere/with-a-name-of-its-own")

    # A line is written, and counted, when the answer has gone out.
    async def counted() -> bool:
        samples = await scraped(gateway, admin)
        found = of(samples, "http_server_request_duration_seconds_count", http_route="")
        return sum(found) > 0

    await until(counted)
    samples = await scraped(gateway, admin)
    assert "with-a-name-of-its-own" not in str(samples)
    assert sum(of(samples, "continuo_breaker_state", gen_ai_provider_name="sim-openai")) == 1
    assert [*of(samples, "continuo_queue_depth", priority="batch", kind="activity")] != []
    assert {one.labels["facts"]: one.value for one in samples if one.name == "continuo_facts_read"} == dict.fromkeys(
        ("breakers", "budgets", "reviews", "dead_letters", "queues", "retirements"), 1
    )
    assert any(of(samples, "temporal_request_total"))


async def test_the_lines_of_a_request_say_whose_it_is_and_of_what(gateway: GatewayProcess) -> None:
    async with gateway.http() as http:
        body = {"model": "model:sim-mini", "messages": [{"role": "user", "content": "the-content-of-it"}]}
        response = await http.post("/v1/chat/completions", json=body)
    id, log = response.headers["x-request-id"], gateway.child.log

    async def written() -> bool:
        # The answer has gone out before.
        return f'"request_id": "{id}"' in log.read_text()

    await until(written)
    [line] = [json.loads(line) for line in log.read_text().splitlines() if f'"request_id": "{id}"' in line]
    assert (line["tenant"], line["pattern"]) == ("acme", "model:sim-mini")
    assert line["workflow_id"] == response.headers["x-continuo-run-id"]
    assert "the-content-of-it" not in log.read_text()
