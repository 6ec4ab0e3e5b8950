"""`/v1/schedules`: a tenant's keys plan jobs that are run again and again, and no other's."""

from typing import Any
from uuid import uuid4

import pytest

from continuo.testing.processes import Control, until
from tests.support.gateway import GatewayProcess, new_key

pytestmark = pytest.mark.usefixtures("worker")

PATH = "/v1/schedules/nightly"
BODY: dict[str, Any] = {
    "job": {"model": "sim-mid", "input": "How many?"},
    "times": {"cron": ["0 6 * * 1-5"], "zone": "Europe/Berlin"},
}


async def test_a_job_is_planned_run_paused_replaced_and_forgotten(gateway: GatewayProcess, simulator: Control) -> None:
    async with (
        gateway.http(await new_key(f"t{uuid4().hex[:10]}")) as http,
        gateway.http(await new_key("globex")) as other,
    ):
        made = (await http.put(PATH, json=BODY)).json()
        assert (made["object"], made["id"], made["pattern"]) == ("schedule", "nightly", "model:sim-mid")
        assert made["batch"] is None
        assert (made["times"], made["paused"], len(made["next"])) == ("0 6 * * 1-5 (Europe/Berlin)", False, 10)

        async def ran() -> bool:
            shown = (await http.get(PATH)).json()
            return [one["status"] for one in shown["last_times"]] == ["completed"]

        assert (await http.post(f"{PATH}/trigger")).status_code == 200
        await until(ran)
        assert len(await simulator.calls("sim-mid")) == 1
        paused = (await http.post(f"{PATH}/pause", json={"note": "too dear"})).json()
        assert (paused["paused"], paused["note"], paused["next"]) == (True, "too dear", [])
        assert (await http.post(f"{PATH}/resume")).json()["paused"] is False
        replaced = (await http.put(PATH, json={**BODY, "times": {"every": "1h"}})).json()
        assert (replaced["times"], replaced["fired"]) == ("every 1:00:00", 0)

        async def listed() -> bool:
            return [one["id"] for one in (await http.get("/v1/schedules")).json()["data"]] == ["nightly"]

        await until(listed)
        assert (await other.get(PATH)).json()["error"]["code"] == "schedule_not_found"
        assert (await other.delete(PATH)).status_code == 404
        assert (await http.delete(PATH)).json() == {"id": "nightly", "object": "schedule", "deleted": True}
        assert (await http.get(PATH)).status_code == 404


async def test_what_cannot_run_is_refused_by_its_name_and_nothing_is_planned(gateway: GatewayProcess) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"job": None}, "job, or batch: write what is run, one of the two"),
        ({"job": {"model": "sim-mid"}}, "job.input: write a text"),
        ({"job": {"model": "nosuch", "input": "Hi"}}, "unknown model 'nosuch'"),
        ({"job": {**BODY["job"], "webhook": {"url": "https://shop.example"}}}, "job.webhook: it is a single run's"),
        ({"times": {}}, "say when: by cron, such as '0 6 * * 1-5', or every, such as 1h"),
        ({"times": {"cron": ["at noon"]}}, "is no time of cron"),
        ({"times": {"every": "1h", "zone": "Mars"}}, "'Mars' is no time zone"),
    ]
    async with gateway.http(await new_key("refused-schedules")) as http:
        for body, says in refused:
            response = await http.put("/v1/schedules/wrong", json={**BODY, **body})
            assert says in response.json()["error"]["message"]
            assert response.status_code in (400, 404)
        assert (await http.get("/v1/schedules/wrong")).status_code == 404
