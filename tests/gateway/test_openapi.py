"""The OpenAPI document says what is served, and what it says holds."""

import json
import re
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from continuo.starters.gateway.app import ROUTES
from continuo.testing.processes import Control
from continuo.wire import schedules
from continuo.wire.errors import WireError
from continuo.wire.parsed import parsed
from tests.gateway.test_jobs import PATH, becomes, created
from tests.support.gateway import GatewayProcess
from tests.support.repository import ROOT

HELLO = [{"role": "user", "content": "Hello"}]


async def document(gateway: GatewayProcess) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=gateway.url) as http:
        served: dict[str, Any] = (await http.get("/openapi.json")).json()
    return served


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """Of the schema, whose references lead into the document."""
    return Draft202012Validator({**schema, "components": document["components"]})


async def test_every_route_is_there_and_every_reference_leads_somewhere(gateway: GatewayProcess) -> None:
    served = await document(gateway)
    operations = {(method.upper(), path) for path, methods in served["paths"].items() for method in methods}
    assert operations == {
        (method, route.path.replace(":path", "")) for route in ROUTES for method in (route.methods or set()) - {"HEAD"}
    }
    ids = [operation["operationId"] for methods in served["paths"].values() for operation in methods.values()]
    assert len(ids) == len({*ids})
    schemas = served["components"]["schemas"]
    assert {*re.findall(r"#/components/schemas/([^']+)'", str(served))} <= {*schemas}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"model": "sim-mini", "messages": HELLO}),
        ("/v1/messages", {"model": "sim-mini", "max_tokens": 9, "messages": HELLO}),
        ("/v1/responses", {"model": "sim-mini", "input": "Hello"}),
        ("/v1/jobs", {"model": "sim-mini", "input": "Hello", "deadline": "5m", "metadata": {"a": "b"}}),
        ("/v1/jobs", {"model": "sim-mini", "messages": HELLO}),
    ],
)
async def test_a_body_is_taken_as_the_document_says_and_one_with_another_field_is_not(
    gateway: GatewayProcess, simulator: Control, path: str, body: dict[str, Any]
) -> None:
    served = await document(gateway)
    schema = served["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    more = {**body, "whatever": 1}
    assert [validator(served, schema).is_valid(one) for one in (body, more)] == [True, False]
    async with gateway.http() as http:
        statuses = [(await http.post(path, json=one)).status_code for one in (body, more)]
    assert statuses in ([200, 400], [202, 400])


async def test_a_schedule_is_of_a_job_or_of_a_batch_as_the_document_says(gateway: GatewayProcess) -> None:
    served = await document(gateway)
    content = served["paths"]["/v1/schedules/{name}"]["put"]["requestBody"]["content"]
    put = validator(served, content["application/json"]["schema"])
    page = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")
    job, batch = (json.loads(body) for body in re.findall(r"-d '(.*?)'", page, re.DOTALL))
    neither, empty = {"times": job["times"]}, {"batch": {}, "times": job["times"]}
    for body, is_valid in ((job, True), (batch, True), (neither, False), ({**job, **batch}, False), (empty, False)):
        assert put.is_valid(body) == is_valid
        with nullcontext() if is_valid else pytest.raises(WireError):
            parsed(schedules.Body, json.dumps(body).encode())


async def test_jobs_and_errors_are_as_the_document_says(gateway: GatewayProcess, simulator: Control) -> None:
    served = await document(gateway)
    job, jobs, error = (
        validator(served, {"$ref": f"#/components/schemas/{name}"}) for name in ("Job", "Jobs", "Error")
    )
    async with gateway.http() as http:
        made = await created(http)
        job.validate(made)
        job.validate(await becomes(http, made, "completed"))
        await simulator.behave("sim-mini", status=400)
        job.validate(await becomes(http, await created(http), "failed"))
        jobs.validate((await http.get(PATH, params={"limit": 2})).json())
        error.validate((await http.get(f"{PATH}/x")).json())
        error.validate((await http.post("/v1/messages", json={})).json())
    await simulator.delete("/_sim/models")
