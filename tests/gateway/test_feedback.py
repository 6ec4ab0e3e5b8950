"""`POST /v1/feedback`: what is said of an answer is kept beside its run, once for each rater and dimension."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from continuo.config.settings import Settings, environment
from continuo.operations.ratings import Rating
from continuo.stores.opened import open_store
from continuo.stores.ratings import ratings_of
from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, new_key

HELLO = [{"role": "user", "content": "Hello"}]


async def kept(run_id: str) -> list[Rating]:
    store = open_store(Settings(), environment())
    try:
        return await ratings_of(store, [run_id])
    finally:
        await store.aclose()


async def asked(http: httpx.AsyncClient, model: str, path: str = "/v1/chat/completions") -> httpx.Response:
    more = {"max_tokens": 9} if path == "/v1/messages" else {}
    answer = await http.post(path, json={"model": model, "messages": HELLO, **more})
    assert answer.status_code == 200, answer.text
    return answer


async def rated(http: httpx.AsyncClient, id: str, **body: Any) -> dict[str, Any]:
    response = await http.post("/v1/feedback", json={"id": id, **body})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("model", ["cost-optimised", "sim-mini"])
async def test_an_answer_is_rated_by_its_own_id_and_by_that_of_its_run(
    gateway: GatewayProcess, simulator: Control, model: str, path: str
) -> None:
    async with gateway.http() as http:
        answer = await asked(http, model, path)
        first = await rated(http, answer.json()["id"], thumb="up")
        again = await rated(http, answer.headers["x-continuo-run-id"], thumb="down", comment="Too short.")
        five = await rated(http, first["run_id"], score=4, scale="1-5", dimension="accuracy", rater="ann")
    assert (first["object"], first["value"], first["scale"], first["source"]) == ("feedback", 1, "thumb", "api")
    assert (again["run_id"], again["rater"], again["value"]) == (first["run_id"], first["rater"], 0)
    assert (five["value"], five["scale"]) == (0.75, "1-5")
    ratings = {(one.rater, one.dimension): (one.value, one.comment) for one in await kept(first["run_id"])}
    assert ratings == {(first["rater"], "overall"): (0, "Too short."), ("ann", "accuracy"): (0.75, None)}


async def test_what_a_comment_says_of_people_is_not_kept(gateway: GatewayProcess, simulator: Control) -> None:
    async with gateway.http() as http:
        answer = await asked(http, "sim-mini")
        comment, rater = "Write to ada@example.org instead.", "ada@example.org"
        said = await rated(http, answer.json()["id"], score=0.5, comment=comment, rater=rater)
    (rating,) = await kept(said["run_id"])
    assert rating.comment == "Write to <EMAIL_1> instead."
    assert rating.rater.startswith("email-")


async def test_another_tenants_run_and_one_that_is_not_there_are_not_found(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.http() as http, gateway.http(await new_key("umbra")) as other:
        answer = await asked(http, "sim-mini")
        said = await rated(http, answer.json()["id"], thumb="up")
        ids = [answer.json()["id"], answer.headers["x-continuo-run-id"], said["run_id"], f"msg_{uuid4().hex}", "it's"]
        for id in ids:
            refused = await other.post("/v1/feedback", json={"id": id, "thumb": "down"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (404, "run_not_found"), id
    assert [one.value for one in await kept(said["run_id"])] == [1]


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "score", "either"),
        ({"score": 1, "thumb": "up"}, "score", "either"),
        ({"score": 4}, "score", '"scale": "1-5"'),
        ({"score": 0.5, "scale": "1-5"}, "score", "1-5"),
        ({"thumb": "sideways"}, "thumb", "'up' or 'down'"),
        ({"thumb": "up", "dimension": "taste"}, "dimension", "relevance"),
        ({"thumb": "up", "rater": ""}, "rater", "no name"),
        ({"thumb": "up", "stars": 3}, "stars", "leave it out"),
        ({"thumb": "up", "comment": "x" * 10_001}, "comment", "10000"),
    ],
)
async def test_a_wrong_field_is_named(gateway: GatewayProcess, body: dict[str, Any], param: str, message: str) -> None:
    async with gateway.http() as http:
        response = await http.post("/v1/feedback", json={"id": "nothing", **body})
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, param)
    assert message in error["message"]
