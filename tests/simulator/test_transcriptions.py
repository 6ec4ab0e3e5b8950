"""Transcriptions in OpenAI's shape: a form with a file; the rest is as it is for every other answer."""

from collections.abc import Mapping

import httpx
import pytest

from continuo.testing.processes import Control
from tests.simulator.conftest import Json
from tests.support.media import wav

TALK = wav(2)
NONE: Mapping[str, str] = {}


async def ask(http: httpx.AsyncClient, content: bytes = TALK, fields: Mapping[str, str] = NONE) -> httpx.Response:
    files = {"file": ("talk.wav", content, "audio/wav")}
    return await http.post("/v1/audio/transcriptions", data={"model": "m", **fields}, files=files)


async def test_what_it_heard_is_marked_as_simulated_and_always_the_same(
    http: httpx.AsyncClient, simulator: Control
) -> None:
    first, second = await ask(http), await ask(http)
    assert first.headers["x-continuo-simulated"] == "true"
    assert first.json() == second.json()
    assert first.json()["text"].startswith("[simulated m]")
    assert [call["answered"] for call in await simulator.calls("m")] == [True, True]


async def test_the_short_form_counts_tokens_and_the_long_one_seconds(
    http: httpx.AsyncClient, simulator: Control
) -> None:
    await simulator.behave("m", text="Hello.", tokens={"input": 20, "output": 2})
    short: Json = (await ask(http)).json()
    assert short == {
        "text": "Hello.",
        "usage": {
            "type": "tokens",
            "input_tokens": 20,
            "output_tokens": 2,
            "total_tokens": 22,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 20},
        },
    }
    long: Json = (await ask(http, fields={"response_format": "verbose_json"})).json()
    assert (long["text"], long["duration"]) == ("Hello.", 2.0)
    assert long["usage"] == {"type": "duration", "seconds": 2.0}


async def test_a_scripted_error_is_the_protocol_s_own(http: httpx.AsyncClient, simulator: Control) -> None:
    await simulator.behave("m", status=429, outage=1, retry_after=2)
    first, second = await ask(http), await ask(http)
    assert (first.status_code, first.headers["retry-after"], second.status_code) == (429, "2", 200)


@pytest.mark.parametrize("fields", [{"response_format": "srt"}, {"stream": "true"}], ids=["another form", "a stream"])
async def test_what_it_cannot_answer_is_refused(
    http: httpx.AsyncClient, simulator: Control, fields: dict[str, str]
) -> None:
    assert (await ask(http, fields=fields)).status_code == 400


async def test_what_is_no_form_with_a_file_is_refused(http: httpx.AsyncClient, simulator: Control) -> None:
    path = "/v1/audio/transcriptions"
    for response in (
        await http.post(path, json={"model": "m"}),
        await http.post(path, files={"model": (None, "m")}),
        await ask(http, b""),
    ):
        assert response.status_code == 400
        assert "no request of this protocol" in response.json()["error"]["message"]
