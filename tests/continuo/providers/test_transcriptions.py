"""Transcriptions: the form that goes out, the shapes that come back, and the client against the simulated provider."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from continuo.config.catalog import Catalog, load_catalog
from continuo.config.settings import Settings
from continuo.deltas import TextDelta
from continuo.errors import ProviderError
from continuo.extra import Extra
from continuo.messages import Message, ModelRequest, ModelResponse, Usage
from continuo.parts import Text
from continuo.protection.masking import Masker
from continuo.protection.reservation import capped, is_free, most_usd
from continuo.providers import transcriptions
from continuo.providers.client import ModelClient
from continuo.testing.processes import Control
from tests.support.media import MP3, contents, part, wav

TALK = wav(3)
WORDS = Text(text="Ada Lovelace")
REQUEST = ModelRequest(messages=(Message(role="user", content=(part(TALK), WORDS)),), system="A talk on looms.")


@pytest.fixture
def catalog() -> Catalog:
    return load_catalog(Settings().catalog)


@pytest.fixture
async def client(catalog: Catalog, simulator: Control, tmp_path: Path) -> AsyncIterator[ModelClient]:
    found = ModelClient(catalog, {"CONTINUO_SIM_URL": simulator.url}, tmp_path, Masker([]))
    yield found
    await found.aclose()


async def transcribed(
    client: ModelClient, catalog: Catalog, id: str = "sim-transcribe", request: ModelRequest = REQUEST
) -> ModelResponse:
    return await client.complete(catalog.models[id], request, timeout=5, idempotency_key="k", media=contents(TALK, MP3))


async def test_the_audio_goes_out_in_a_form_with_what_is_known_of_it(
    client: ModelClient, catalog: Catalog, simulator: Control
) -> None:
    extra = Extra.model_validate({"openai": {"language": "en"}})
    request = REQUEST.model_copy(update={"temperature": 0.2, "extra": extra})
    answer = await transcribed(client, catalog, request=request)
    assert answer.simulated
    assert "audio/wav of 24,044 bytes" in answer.message.text
    [call] = await simulator.calls()
    assert (call["idempotency_key"], call["answered"]) == ("k", True)
    assert call["body"] == {
        "model": "sim-transcribe",
        "language": "en",
        "response_format": "json",
        "prompt": "A talk on looms.\n\nAda Lovelace",
        "temperature": "0.2",
        "file": {
            "name": "audio.wav",
            "type": "audio/wav",
            "size": len(TALK),
            "sha256": sha256(TALK).hexdigest(),
            "seconds": 3.0,
        },
    }


async def test_an_mp3_file_is_called_one(client: ModelClient, catalog: Catalog, simulator: Control) -> None:
    await transcribed(client, catalog, request=ModelRequest(messages=(Message(role="user", content=(part(MP3),)),)))
    [call] = await simulator.calls()
    assert (call["body"]["file"]["name"], call["body"]["file"]["type"]) == ("audio.mp3", "audio/mpeg")
    assert "prompt" not in call["body"]


async def test_tokens_or_seconds_are_counted_as_the_model_is_paid(
    client: ModelClient, catalog: Catalog, simulator: Control
) -> None:
    await simulator.behave("sim-transcribe", tokens={"input": 40, "output": 10})
    by_tokens, by_minute = [await transcribed(client, catalog, id) for id in ("sim-transcribe", "sim-whisper")]
    assert by_tokens.usage == Usage(input_tokens=40, output_tokens=10)
    assert by_minute.usage == Usage(seconds=3.0)
    price = catalog.models["sim-whisper"].price
    assert price is not None
    assert price.cost(by_minute.usage) == pytest.approx(0.03)
    assert [call["body"]["response_format"] for call in await simulator.calls()] == ["json", "verbose_json"]


async def test_what_nobody_counts_is_estimated_and_never_free(
    client: ModelClient, catalog: Catalog, simulator: Control
) -> None:
    for id in ("sim-transcribe", "sim-whisper"):
        await simulator.behave(id, text="Hello.", fault="no_usage")
    answer = await transcribed(client, catalog)
    assert answer.usage is not None
    assert (answer.usage.estimated, answer.usage.output_tokens) == (True, 2)
    assert answer.usage.input_tokens >= 96
    # The duration stands in the long form beside the usage.
    assert (await transcribed(client, catalog, "sim-whisper")).usage == Usage(seconds=3.0)


async def test_seconds_have_no_price_where_tokens_are_paid(
    client: ModelClient, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = transcriptions.decode({"text": "Hello.", "usage": {"type": "duration", "seconds": 3}})
    monkeypatch.setattr(transcriptions, "decode", lambda _: decoded)
    usage = (await transcribed(client, catalog)).usage
    assert usage is not None
    assert usage.estimated
    assert usage.input_tokens > 0


async def test_a_stream_is_the_whole_transcript(client: ModelClient, catalog: Catalog, simulator: Control) -> None:
    await simulator.behave("sim-transcribe", text="Hello.")
    model = catalog.models["sim-transcribe"]
    found = [item async for item in client.stream(model, REQUEST, timeout=5, idempotency_key="k", media=contents(TALK))]
    assert found[0] == TextDelta("Hello.")
    assert isinstance(found[1], ModelResponse)
    assert found[1].message.text == "Hello."


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ({"status": 429}, "rate_limited"),
        ({"status": 503}, "server_error"),
        ({"fault": "empty"}, "invalid_response"),
        ({"fault": "not_json"}, "invalid_response"),
        ({"fault": "cut"}, "connection"),
        ({"text": " "}, "invalid_response"),
        ({"refuses": ["prompt"]}, "invalid_request"),
    ],
)
async def test_what_goes_wrong_has_a_kind(
    client: ModelClient, catalog: Catalog, simulator: Control, behaviour: dict[str, object], kind: str
) -> None:
    await simulator.behave("sim-transcribe", **behaviour)
    with pytest.raises(ProviderError) as raised:
        await transcribed(client, catalog)
    assert raised.value.kind == kind


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"text": "a", "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 45}}, (14, 45, 0.0)),
        ({"text": "a", "usage": {"type": "duration", "seconds": 9}}, (0, 0, 9.0)),
        ({"text": "a", "duration": "8.47"}, (0, 0, 8.47)),
        ({"text": "a", "duration": 8.5, "usage": None}, (0, 0, 8.5)),
    ],
)
def test_each_shape_of_usage_is_read(body: dict[str, Any], usage: tuple[int, int, float]) -> None:
    found = transcriptions.decode(body).usage
    assert found is not None
    assert (found.input_tokens, found.output_tokens, found.seconds) == usage


@pytest.mark.parametrize("body", [{}, {"text": None}, {"text": "a", "usage": []}, {"text": "a", "duration": {}}])
def test_another_shape_is_no_transcript(body: dict[str, Any]) -> None:
    if body.get("usage") == []:
        assert transcriptions.decode(body).usage is None
        return
    with pytest.raises(ProviderError) as raised:
        transcriptions.decode(body)
    assert raised.value.kind == "invalid_response"


def test_what_is_reserved_is_enough_for_the_whole_audio(catalog: Catalog) -> None:
    whisper = catalog.models["sim-whisper"]
    assert not is_free(whisper)
    assert 0.03 <= most_usd(whisper, capped(REQUEST)) < 0.0301


def test_a_model_that_transcribes_must_be_able_to() -> None:
    line = {"provider": "p", "transcribes": True, "inputs": ["text"]}
    with pytest.raises(ValueError, match="model 'm' transcribes; that needs a provider of protocol 'openai', and `inp"):
        Catalog.model_validate({"providers": {"p": {"protocol": "openai"}}, "models": {"m": line}})


@pytest.mark.parametrize(
    "segments", [None, 7, [7], [{"start": 0}], [{"start": 0, "end": "x", "text": "Hello"}]], ids=repr
)
def test_an_answer_whose_segments_are_of_another_shape_is_not_lost(segments: Any) -> None:
    answer = transcriptions.decode({"text": "Hello", "duration": 1.0, "segments": segments})
    assert (answer.message.text, answer.transcript) == ("Hello", None)


def test_what_is_measured_of_a_segment_is_kept() -> None:
    body = {"start": 0.5, "end": 1, "text": "Hello", "avg_logprob": -0.2, "tokens": [1]}
    answer = transcriptions.decode({"text": "Hello", "duration": "1.5", "language": "en", "segments": [body]})
    assert answer.transcript is not None
    [segment] = answer.transcript.segments
    assert (answer.transcript.duration, segment.end) == (1.5, 1.0)
    assert segment.measured == {"avg_logprob": -0.2, "tokens": [1]}
