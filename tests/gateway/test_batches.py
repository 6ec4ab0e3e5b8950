"""Files and batches by the real SDKs."""

import asyncio
import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, cast
from uuid import uuid4

import anthropic
import httpx
import openai
import pytest
from openai.types import Batch
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.testing.processes import Control, kill, until
from continuo.workers.pool import pool
from tests.support.gateway import GatewayProcess, new_key
from tests.support.media import png
from tests.support.receiver import receiving

pytestmark = pytest.mark.usefixtures("batch_pool")

ENDPOINT: Any = "/v1/chat/completions"


@pytest.fixture(scope="module")
async def batch_pool(client: Client) -> AsyncIterator[None]:
    async with pool(client, Library(), "batch", 20):
        yield


def line(id: str, model: str = "sim-mini", url: str = ENDPOINT, **body: Any) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": f"Where is {id}?"}], **body}
    return {"custom_id": id, "method": "POST", "url": url, "body": body}


def written(*lines: dict[str, Any]) -> tuple[str, bytes]:
    return "items.jsonl", b"\n".join(json.dumps(one).encode() for one in lines)


async def begun(sdk: openai.AsyncOpenAI, *lines: dict[str, Any], endpoint: Any = ENDPOINT, **more: Any) -> Batch:
    file = await sdk.files.create(file=written(*lines), purpose="batch")
    return await sdk.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more)


async def ended(sdk: openai.AsyncOpenAI, id: str, status: str = "completed") -> Batch:
    async def over() -> bool:
        return (await sdk.batches.retrieve(id)).status == status

    await until(over)
    return await sdk.batches.retrieve(id)


async def lines_of(sdk: openai.AsyncOpenAI, file: str | None) -> list[dict[str, Any]]:
    assert file is not None
    content = (await sdk.files.content(file)).content
    assert (await sdk.files.retrieve(file)).bytes == len(content)
    return [json.loads(text) for text in content.splitlines()]


async def test_each_line_is_answered_once_and_an_error_is_a_line_of_another_file(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="On its way.", tokens={"input": 7, "output": 3})
    await simulator.behave("sim-premium", status=400, error_message="no such thing")
    async with gateway.openai() as sdk:
        batch = await begun(sdk, line("a"), line("b", "support"), line("c", "sim-premium"), metadata={"job": "7"})
        assert (batch.object, batch.metadata, batch.completion_window) == ("batch", {"job": "7"}, "24h")
        assert batch.output_file_id is None
        done = await ended(sdk, batch.id)
        counts = done.request_counts
        assert counts is not None
        assert (counts.total, counts.completed, counts.failed) == (3, 2, 1)
        first, second = await lines_of(sdk, done.output_file_id)
        assert (first["custom_id"], first["response"]["status_code"], first["error"]) == ("a", 200, None)
        answer = openai.types.chat.ChatCompletion.model_validate(first["response"]["body"])
        assert (answer.choices[0].message.content, answer.model) == ("On its way.", "sim-mini")
        assert answer.usage is not None
        assert answer.usage.total_tokens == 10
        assert first["response"]["body"]["continuo"]["pattern"] == "model:sim-mini"
        assert second["response"]["body"]["continuo"]["pattern"] == "support"
        [failed] = await lines_of(sdk, done.error_file_id)
        assert (failed["custom_id"], failed["response"]["status_code"]) == ("c", 400)
        assert "no such thing" in failed["response"]["body"]["error"]["message"]
        assert batch.id in [one.id async for one in sdk.batches.list(limit=1)]
        with pytest.raises(openai.ConflictError, match="has ended"):
            await sdk.batches.cancel(batch.id)
        with pytest.raises(openai.ConflictError, match="go with it"):
            await sdk.files.delete(cast(str, done.output_file_id))


async def test_other_endpoints_are_batched_too(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="On its way.")
    async with gateway.openai() as sdk:

        async def answer(url: str, **body: Any) -> Any:
            one = {"custom_id": "e", "method": "POST", "url": url, "body": body}
            batch = await ended(sdk, (await begun(sdk, one, endpoint=url)).id)
            [line] = await lines_of(sdk, batch.output_file_id)
            return line["response"]["body"]

        embeddings, written, completed = await asyncio.gather(
            answer("/v1/embeddings", model="sim-embed", input=["a", "b"]),
            answer("/v1/responses", model="sim-mini", input="Where is it?", instructions="Be short."),
            answer("/v1/completions", model="sim-mini", prompt="Where is it?", echo=True),
        )
    assert [len(vector["embedding"]) > 10 for vector in embeddings["data"]] == [True, True]
    response = openai.types.responses.Response.model_validate(written)
    assert (response.output_text, response.instructions) == ("On its way.", "Be short.")
    assert (response.status, written["store"]) == ("completed", False)
    completion = openai.types.Completion.model_validate(completed)
    assert completion.choices[0].text == "Where is it?On its way."


async def test_what_is_under_way_ends_when_a_batch_is_cancelled(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", latency=1, text="On its way.")
    async with gateway.openai() as sdk:
        file = await sdk.files.create(file=written(*(line(f"{number}") for number in range(60))), purpose="batch")
        create = partial(
            sdk.batches.create,
            input_file_id=file.id,
            endpoint=ENDPOINT,
            completion_window="24h",
            extra_headers={"idempotency-key": "cancelled"},
        )
        # Two at once, as by a client that did not wait for the first.
        batch, same = await asyncio.gather(create(), create())
        assert batch.id == same.id
        await until(lambda: simulator.calls("sim-mini"))
        assert (await sdk.batches.cancel(batch.id)).status == "cancelling"
        done = await ended(sdk, batch.id, "cancelled")
        assert done.cancelling_at is not None
        assert done.request_counts is not None
        # A call may have been tried again.
        completed = done.request_counts.completed
        assert 0 < completed < 60
        assert completed <= len(await simulator.calls("sim-mini"))
        assert (await create()).status == "cancelled"
        assert len(await lines_of(sdk, done.output_file_id)) == completed


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([line("a"), line("b", "nosuch")], "line 2: unknown model 'nosuch'"),
        ([line("a"), line("a")], "id 'a' is that of item 1"),
        ([line("a", stream=True)], "line 1: body.stream: it is not taken in a batch"),
        ([line("a", url="/v1/responses")], "line 1: url: '/v1/responses' is not the batch's endpoint"),
        ([line("a", wishes=3)], "line 1: wishes"),
        ([{"custom_id": "a"}], "line 1: method: this field is required"),
        ([line("a\x00b")], "line 1: custom_id"),
        ([], "there is no request"),
    ],
)
async def test_a_wrong_line_is_told_before_anything_runs(
    gateway: GatewayProcess, simulator: Control, lines: list[dict[str, Any]], message: str
) -> None:
    async with gateway.openai(max_retries=0) as sdk:
        with pytest.raises((openai.BadRequestError, openai.NotFoundError), match=message):
            await begun(sdk, *lines)
    assert await simulator.calls() == []


async def test_a_file_is_kept_listed_and_deleted_for_its_tenant_alone(gateway: GatewayProcess) -> None:
    secret = await new_key("tenant-of-files")
    async with gateway.openai(secret) as sdk, gateway.openai(await new_key("globex")) as other:
        made = [await sdk.files.create(file=written(line(f"{n}")), purpose="batch") for n in range(3)]
        assert [one.id async for one in sdk.files.list(limit=2, order="asc")] == [one.id for one in made]
        file = made[0]
        assert (await sdk.files.content(file.id)).content == written(line("0"))[1]
        assert (file.purpose, file.filename, file.bytes) == ("batch", "items.jsonl", len(written(line("0"))[1]))
        batch = await begun(sdk, line("a"))
        for work in (
            other.files.retrieve(file.id),
            other.files.content(file.id),
            other.files.delete(file.id),
            other.batches.create(input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h"),
            other.batches.retrieve(batch.id),
            other.batches.cancel(batch.id),
            other.files.content(f"file-{batch.id}-output"),
        ):
            with pytest.raises(openai.NotFoundError):
                await cast(Any, work)
        assert [one.id async for one in other.batches.list()] == []
        assert (await sdk.files.delete(file.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await sdk.files.retrieve(file.id)
        short = await sdk.files.create(
            file=written(line("x")), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
        )
        assert short.expires_at == short.created_at + 3600
        odd = await sdk.files.create(file=("a\x00b\x1b.jsonl", b"{}"), purpose="batch")
        assert "\x00" not in odd.filename
        once = {"idempotency-key": "one-file"}
        await sdk.files.create(file=written(line("x")), purpose="batch", extra_headers=once)
        with pytest.raises(openai.UnprocessableEntityError, match="another body"):
            await sdk.files.create(file=written(line("y")), purpose="batch", extra_headers=once)
        for seconds in (60, "soon", ["3600"]):
            with pytest.raises(openai.BadRequestError, match="expires_after"):
                await sdk.files.create(
                    file=written(line("x")),
                    purpose="batch",
                    expires_after=cast(Any, {"anchor": "created_at", "seconds": seconds}),
                )
        with pytest.raises(openai.BadRequestError, match="purpose"):
            await sdk.files.create(file=written(line("x")), purpose="assistants")


async def test_a_repeated_request_makes_no_second_file_and_no_second_batch(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.openai() as sdk:
        once = {"idempotency-key": "once"}
        files = [
            await sdk.files.create(file=written(line("a", "sim-mid")), purpose="batch", extra_headers=once)
            for _ in range(2)
        ]
        assert files[0] == files[1]
        batches = [
            await sdk.batches.create(
                input_file_id=files[0].id, endpoint=ENDPOINT, completion_window="24h", extra_headers=once
            )
            for _ in range(2)
        ]
        assert batches[0].id == batches[1].id
        await ended(sdk, batches[0].id)
    assert len(await simulator.calls("sim-mid")) == 1


def asked(id: str, model: str = "sim-mini", **params: Any) -> Any:
    messages = [{"role": "user", "content": f"Where is {id}?"}]
    return {"custom_id": id, "params": {"model": model, "max_tokens": 50, "messages": messages, **params}}


async def test_message_batches_are_answered(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", text="On its way.")
    await simulator.behave("sim-premium", status=400, error_message="no such thing")
    async with gateway.anthropic(await new_key("tenant-of-messages")) as sdk:
        batches = sdk.messages.batches
        batch = await batches.create(requests=[asked("a"), asked("b", "support"), asked("c", "sim-premium")])
        assert (batch.type, batch.processing_status, batch.results_url) == ("message_batch", "in_progress", None)

        async def over() -> bool:
            return (await batches.retrieve(batch.id)).processing_status == "ended"

        await until(over)
        done = await batches.retrieve(batch.id)
        counts = done.request_counts
        assert (counts.processing, counts.succeeded, counts.errored, counts.canceled) == (0, 2, 1, 0)
        results = [one async for one in await batches.results(batch.id)]
        assert [(one.custom_id, one.result.type) for one in results] == [
            ("a", "succeeded"),
            ("b", "succeeded"),
            ("c", "errored"),
        ]
        first = results[0].result
        assert first.type == "succeeded"
        assert first.message.content[0].type == "text"
        assert (first.message.content[0].text, first.message.model) == ("On its way.", "sim-mini")
        assert [one.id async for one in batches.list(limit=1)] == [batch.id]
        with pytest.raises(anthropic.ConflictError):
            await batches.cancel(batch.id)
        async with gateway.anthropic(await new_key("globex")) as other:
            for work in (other.messages.batches.retrieve(batch.id), other.messages.batches.delete(batch.id)):
                with pytest.raises(anthropic.NotFoundError):
                    await cast(Any, work)
        assert (await batches.delete(batch.id)).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            await batches.retrieve(batch.id)
        with pytest.raises(anthropic.BadRequestError, match=r"requests.0.params: stream"):
            await batches.create(requests=[asked("a", stream=True)])


async def test_what_has_not_begun_when_a_message_batch_is_cancelled_is_told(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", latency=0.4, text="On its way.")
    async with gateway.anthropic() as sdk:
        batches = sdk.messages.batches
        batch = await batches.create(requests=[asked(f"{number}") for number in range(60)])
        await until(lambda: simulator.calls("sim-mini"))
        with pytest.raises(anthropic.BadRequestError, match="no results yet"):
            await httpx_results(gateway, batch.id)
        assert (await batches.cancel(batch.id)).processing_status == "canceling"

        async def over() -> bool:
            return (await batches.retrieve(batch.id)).processing_status == "ended"

        await until(over)
        types = [one.result.type async for one in await batches.results(batch.id)]
        assert len(types) == 60
        assert set(types) == {"succeeded", "canceled"}


async def httpx_results(gateway: GatewayProcess, id: str) -> None:
    """The SDK looks for the address of the results first, and asks for none where there is none."""
    async with gateway.http() as http:
        response = await http.get(f"/v1/messages/batches/{id}/results")
        if response.status_code == 400:
            raise anthropic.BadRequestError(response.text, response=cast(Any, response), body=None)


async def test_a_killed_gateway_takes_no_batch_along(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-mini", latency=0.5, text="On its way.")
    async with gateway.openai() as sdk:
        batch = await begun(sdk, *(line(f"{number}") for number in range(20)))
        await kill(gateway.child)
        await gateway.child.start()
        done = await ended(sdk, batch.id)
        assert len(await lines_of(sdk, done.output_file_id)) == 20
    assert len(await simulator.calls("sim-mini")) == 20


async def test_the_end_of_a_batch_is_told_to_its_webhook_until_that_is_taken(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="On its way.")
    tenant = "told-of-batches"
    secret = await new_key(tenant)
    async with (
        receiving("500 Error") as receiver,
        gateway.openai(secret) as sdk,
        gateway.anthropic(secret) as anthropic_sdk,
    ):
        webhook = {"webhook": {"url": receiver.url()}}
        batch = await begun(sdk, line("a"), extra_body=webhook)
        first, again = [one.unwrapped(tenant) for one in await receiver.has(2)]
        assert (first.type, first.data.id, again.id) == ("batch.completed", batch.id, first.id)
        assert (await sdk.batches.retrieve(batch.id)).status == "completed"
        told = await anthropic_sdk.messages.batches.create(requests=[asked("a")], extra_body=webhook)
        event = json.loads((await receiver.has(3))[2].body)
        assert (event["type"], event["data"]["id"]) == ("message_batch.completed", told.id)
        with pytest.raises(openai.BadRequestError, match=r"webhook\.url"):
            await begun(sdk, line("a"), extra_body={"webhook": {"url": "ftp://shop.example/hook"}})


SCHEDULE = "/v1/schedules/nightly"


def planned(file: str, **batch: Any) -> dict[str, Any]:
    return {"batch": {"input_file_id": file, "endpoint": ENDPOINT, **batch}, "times": {"cron": ["0 6 1 1 *"]}}


async def fired(http: httpx.AsyncClient, path: str = SCHEDULE) -> str:
    """The id of the batch of a time that is now, once it has ended."""
    assert (await http.post(f"{path}/trigger")).status_code == 200
    times: list[dict[str, Any]] = []

    async def over() -> bool:
        times[:] = (await http.get(path)).json()["last_times"]
        return [one["status"] for one in times] == ["completed"]

    await until(over)
    return str(times[0]["run"])


async def test_each_time_of_a_schedule_is_a_batch_of_lines_that_outlive_their_file(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-mini", text="On its way to <EMAIL_1>.")
    await simulator.behave("sim-premium", status=400, error_message="no such thing")
    secret, asked = await new_key(f"t{uuid4().hex[:10]}"), [{"role": "user", "content": "It is for ann@example.org."}]
    async with gateway.http(secret) as http, gateway.openai(secret) as sdk, gateway.openai() as other:
        lines = line("a", messages=asked, user="ann@example.org"), line("b", "support"), line("c", "sim-premium")
        file = await sdk.files.create(file=written(*lines), purpose="batch")
        made = (await http.put(SCHEDULE, json=planned(file.id))).json()
        assert (made["pattern"], made["priority"], made["batch"]) == ("model:sim-mini", "batch", {"items": 3})
        assert (await http.put("/v1/schedules/poor", json=planned(file.id, budget_usd=0, window=1))).status_code == 200
        await sdk.files.delete(file.id)
        assert [one.id async for one in sdk.batches.list()] == []
        done = await sdk.batches.retrieve(await fired(http))
        assert (done.status, done.input_file_id, done.id[:10]) == ("completed", file.id, "nightly-20")
        first, second = await lines_of(sdk, done.output_file_id)
        answer = first["response"]["body"]["choices"][0]["message"]["content"]
        assert (first["custom_id"], answer) == ("a", "On its way to ann@example.org.")
        assert second["response"]["body"]["continuo"]["pattern"] == "support"
        [failed] = await lines_of(sdk, done.error_file_id)
        assert "no such thing" in failed["response"]["body"]["error"]["message"]
        assert "ann@example.org" not in json.dumps(await simulator.calls())
        poor = await sdk.batches.retrieve(await fired(http, "/v1/schedules/poor"))
        assert poor.request_counts is not None
        assert (poor.status, poor.request_counts.total, poor.request_counts.completed) == ("cancelled", 3, 0)
        assert [one.id async for one in sdk.batches.list()] == [poor.id, done.id]
        with pytest.raises(openai.NotFoundError):
            await other.batches.retrieve(done.id)
        for path in (SCHEDULE, "/v1/schedules/poor"):
            assert (await http.delete(path)).status_code == 200
        assert len(await lines_of(sdk, done.output_file_id)) == 2


async def test_what_a_schedule_s_batch_cannot_be_is_told_by_field_and_line_and_nothing_is_planned(
    gateway: GatewayProcess, simulator: Control
) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(png()).decode()}"}}
    wrong_lines: list[tuple[list[dict[str, Any]], str]] = [
        ([line("a"), line("b", "nosuch")], "batch.input_file_id: line 2: unknown model 'nosuch'"),
        ([line("a", url="/v1/responses")], "batch.input_file_id: line 1: url: '/v1/responses' is not"),
        ([line("a", messages=[{"role": "user", "content": [picture]}])], "line 1: media are not kept for a schedule"),
        ([line("a"), line("a")], "line:2: id 'a' is that of item 1"),
        ([], "batch.input_file_id: there is no request"),
    ]
    secret = await new_key("refused-schedules")
    async with gateway.http(secret) as http, gateway.openai(secret) as sdk, gateway.openai() as other:

        async def kept(by: openai.AsyncOpenAI, *lines: dict[str, Any]) -> str:
            return (await by.files.create(file=written(*lines), purpose="batch")).id

        good = await kept(sdk, line("a"))
        refused = [(planned(await kept(sdk, *lines)), says) for lines, says in wrong_lines]
        refused += [
            (planned(await kept(other, line("a"))), "batch.input_file_id: there is no file"),
            ({**planned(good), "job": {"model": "sim-mini", "input": "Hi"}}, "job, or batch: write what is run"),
            ({**planned(good), "batch": {"endpoint": ENDPOINT}}, "batch.input_file_id: this field is required"),
            ({**planned(good), "times": {"cron": ["61 * * * *"]}}, "cron, or another of its times"),
            (planned(good, endpoint="/v1/nothing"), "batch.endpoint: '/v1/nothing' is not taken here"),
            (planned(good, completion_window="7d"), "batch.completion_window: '7d' is not taken here"),
            (planned(good, metadata={"a": "b"}), "batch.metadata: this field is not taken here; leave it out"),
            (planned(good, window=0), "batch.window"),
            (planned(good, budget_usd=-1), "batch.budget_usd"),
            (planned(good, off_peak="at night"), "batch.off_peak: 'at night' is no window of a day"),
        ]
        for body, says in refused:
            response = await http.put(SCHEDULE, json=body)
            assert says in response.json()["error"]["message"]
            assert response.status_code in (400, 404)
        own = planned(good, off_peak="22:00-06:00")
        for header, says in (
            ("24h", "off_peak: a provider does its batches when it likes"),
            ("soon", "within: 'soon'"),
        ):
            response = await http.put(SCHEDULE, json=own, headers={"x-continuo-provider-batch": header})
            assert (response.status_code, says in response.json()["error"]["message"]) == (400, True)
        assert (await http.get(SCHEDULE)).status_code == 404
    assert await simulator.calls() == []


async def test_a_caller_may_want_batches_of_the_provider_s_own(gateway: GatewayProcess, simulator: Control) -> None:
    secret = await new_key(f"t{uuid4().hex[:10]}")
    async with gateway.openai(secret) as sdk, gateway.http(secret) as http:
        wanted = {"x-continuo-provider-batch": "24h"}
        batch = await begun(sdk, line("a"), line("b"), extra_headers=wanted)
        done = await ended(sdk, batch.id)
        answers = await lines_of(sdk, done.output_file_id)
        assert [one["custom_id"] for one in answers] == ["a", "b"]
        protocols = {call["protocol"] for call in await simulator.calls("sim-mini")}
        assert [protocol.endswith(" batch") for protocol in protocols] == [True]
        texts = {"model": "sim-embed", "input": ["x", "y"], "dimensions": 8}
        bodies = [texts, {**texts, "input": "x", "encoding_format": "base64"}]
        embedding = {"endpoint": "/v1/embeddings", "extra_headers": wanted}
        embed = [{**line(id, url="/v1/embeddings"), "body": body} for id, body in zip("ab", bodies, strict=True)]
        done = await ended(sdk, (await begun(sdk, *embed, **embedding)).id)
        both, packed = (one["response"]["body"] for one in await lines_of(sdk, done.output_file_id))
        assert [len(one["embedding"]) for one in both["data"]] == [8, 8]
        numbers = array("f", both["data"][0]["embedding"])
        assert b64decode(packed["data"][0]["embedding"]) == numbers.tobytes()
        assert (both["model"], both["usage"]["prompt_tokens"]) == ("sim-embed", 1)
        file = await sdk.files.create(file=written(*embed), purpose="batch")
        body = planned(file.id, endpoint="/v1/embeddings")
        assert (await http.put(SCHEDULE, json=body, headers=wanted)).status_code == 200
        scheduled = await sdk.batches.retrieve(await fired(http))
        assert len(await lines_of(sdk, scheduled.output_file_id)) == 2
        assert (await http.delete(SCHEDULE)).status_code == 200
        assert {call["protocol"] for call in await simulator.calls("sim-embed")} == {"openai batch"}
        embed[1]["body"]["model"] = "sim-mini"
        with pytest.raises(openai.BadRequestError, match="line:2: model 'sim-mini' does not embed"):
            await begun(sdk, *embed, **embedding)
        for lines, header, says in (
            ([line("a"), line("b", "sim-mid")], "24h", "a provider's batch asks one model"),
            ([line("a", "support")], "24h", "a provider's batch asks one model"),
            ([line("a")], "soon", "x-continuo-provider-batch: within: 'soon' is not a duration"),
        ):
            with pytest.raises(openai.BadRequestError, match=says):
                await begun(sdk, *lines, extra_headers={"x-continuo-provider-batch": header})
