"""Transcriptions, as OpenAI's own SDK asks for them, and forms that it would not send."""

import asyncio
from typing import Any

import httpx
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuo.testing.processes import Control
from tests.support.gateway import GatewayProcess, new_key
from tests.support.media import MP3, PDF, wav

TALK = ("talk.wav", wav(), "audio/wav")
PATH = "/v1/audio/transcriptions"


async def test_what_is_said_is_written_down_with_its_usage(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-transcribe", text="Good morning.", tokens={"input": 30, "output": 4})
    await simulator.behave("sim-whisper", text="Good morning.")
    async with gateway.openai() as client:
        create = client.audio.transcriptions.create
        counted = await create(model="sim-transcribe", file=TALK, language="en", prompt="Ada", temperature=0.5)
        timed = await create(model="sim-whisper", file=("talk.mp3", MP3))
        text = await create(model="transcribe", file=TALK, response_format="text")
    assert (counted.text, timed.text, text) == ("Good morning.", "Good morning.", "Good morning.")
    assert counted.usage is not None
    assert timed.usage is not None
    assert counted.usage.to_dict() == {"type": "tokens", "input_tokens": 30, "output_tokens": 4, "total_tokens": 34}
    assert timed.usage.type == "duration"
    assert (counted.model_extra or {})["continuo"]["model"] == "sim-transcribe"
    [call, _] = await simulator.calls("sim-transcribe")
    sent = call["body"]
    assert (sent["language"], sent["prompt"], sent["temperature"]) == ("en", "Ada", "0.5")
    assert (sent["file"]["size"], sent["file"]["type"]) == (len(TALK[1]), "audio/wav")


async def test_when_it_was_said_is_told_in_each_form(gateway: GatewayProcess, simulator: Control) -> None:
    await simulator.behave("sim-whisper", text="Good morning. How are you?")
    talk = ("talk.wav", wav(4), "audio/wav")
    async with gateway.openai() as client:
        create = client.audio.transcriptions.create
        srt = await create(model="sim-whisper", file=talk, response_format="srt")
        vtt = await create(model="sim-whisper", file=talk, response_format="vtt")
        verbose = await create(
            model="sim-whisper", file=talk, response_format="verbose_json", timestamp_granularities=["segment"]
        )
        plain = await create(model="sim-whisper", file=talk)
    assert srt == "1\n00:00:00,000 --> 00:00:02,000\nGood morning.\n\n2\n00:00:02,000 --> 00:00:04,000\nHow are you?\n"
    assert (
        vtt == "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood morning.\n\n00:00:02.000 --> 00:00:04.000\nHow are you?\n"
    )
    assert (verbose.text, verbose.language, verbose.duration) == ("Good morning. How are you?", "english", 4.0)
    assert verbose.segments is not None
    assert [(one.id, one.start, one.end, one.text) for one in verbose.segments] == [
        (0, 0.0, 2.0, "Good morning."), (1, 2.0, 4.0, "How are you?"),
    ]  # fmt: skip
    assert verbose.segments[0].avg_logprob == -0.1
    assert "segments" not in (plain.model_extra or {})


async def test_a_transcript_is_streamed_and_the_sdk_without_a_loop_reads_it(
    gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-transcribe", text="Good morning.")
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.secret) as client:
        create = client.audio.transcriptions.create
        events = await asyncio.to_thread(lambda: list(create(model="sim-transcribe", file=TALK, stream=True)))
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == "Good morning."
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == "Good morning."
    assert events[-1].usage is not None


async def test_a_pattern_that_takes_audio_answers_too(gateway: GatewayProcess) -> None:
    async with gateway.openai() as client:
        assert (await client.audio.transcriptions.create(model="meeting", file=TALK)).text


@pytest.mark.parametrize(
    ("fields", "file", "param", "says"),
    [
        ({"response_format": "srt"}, TALK, "response_format", "'sim-transcribe' does not tell when it was said"),
        ({"response_format": "vtt", "model": "meeting"}, TALK, "response_format", "is a pattern"),
        ({"response_format": "xml"}, TALK, "response_format", "'xml' is not taken here"),
        ({"timestamp_granularities[]": ["segment"]}, TALK, "timestamp_granularities", "verbose_json"),
        ({"response_format": "text", "stream": "true"}, TALK, "response_format", "leave it out"),
        ({"timestamp_granularities[]": ["word", "segment"]}, TALK, "timestamp_granularities.0", "known: 'segment'"),
        ({"include[]": "logprobs"}, TALK, "include", "not taken here"),
        ({"chunking_strategy[type]": "server_vad"}, TALK, "chunking_strategy[type]", "not taken here"),
        ({"temperature": "2"}, TALK, "temperature", "less than or equal to 1"),
        ({"temperature": "nan"}, TALK, "temperature", "finite"),
        ({"stream": "perhaps"}, TALK, "stream", "boolean"),
        ({"model": ["sim-whisper", "sim-transcribe"]}, TALK, "model", "given twice"),
        ({"model": "sim-mini"}, TALK, "model", "does not transcribe"),
        ({"model": "meeting", "language": "de"}, TALK, "language", "is a pattern"),
        ({}, ("talk.wav", b"", "audio/wav"), "file", "is empty"),
        ({}, ("talk.wav", PDF, "audio/wav"), "file", "application/pdf, and no audio"),
        ({}, ("talk.ogg", b"OggS\0\0\0\xff", "audio/ogg"), "file", "a type that is not taken"),
        ({}, ("talk.wav", wav(2501), "audio/wav"), "file", "more than 20,000,000"),
        ({"file": "talk"}, None, "file", "send the audio as a file with a name"),
    ],
)
async def test_what_cannot_be_transcribed_is_refused_before_anything_runs(
    gateway: GatewayProcess, simulator: Control, fields: dict[str, Any], file: Any, param: str, says: str
) -> None:
    async with gateway.http() as http:
        files = {"file": file} if file else {"other": (None, "x")}
        answer = await http.post(PATH, data={"model": "sim-transcribe", **fields}, files=files)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert says in error["message"]
    assert await simulator.calls() == []


HEAD = b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nsim-whisper\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--y--", "multipart/form-data; boundary=x"),
        (HEAD, "multipart/form-data; boundary=x"),
        (HEAD + FILE + wav(), "multipart/form-data; boundary=x"),
        (HEAD + b"--x--", "multipart/form-data"),
        (HEAD + b"--x--", "multipart/form-data; boundary=" + "x" * 10_000),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"A: b\r\n" * 10_000, "multipart/form-data; boundary=x"),
        (HEAD * 40 + b"--x--", "multipart/form-data; boundary=x"),
        (HEAD + FILE + b"\r\n" + FILE + b"\r\n--x--", "multipart/form-data; boundary=x"),
        (HEAD.replace(b"sim-whisper", b"x" * 300_000) + b"--x--", "multipart/form-data; boundary=x"),
        (HEAD.replace(b"model", b"\xff\xd8"), "multipart/form-data; boundary=x; charset=utf-16"),
        (HEAD + b"--x--", "multipart/form-data; boundary=x; charset=undefined"),
        (b'{"model": "sim-whisper"}', "application/json"),
        (b"model=sim-whisper&file=x", "application/x-www-form-urlencoded"),
    ],
)
async def test_no_form_is_a_mistake_of_ours(gateway: GatewayProcess, content: bytes, kind: str) -> None:
    async with gateway.http() as http:
        answer = await http.post(PATH, content=content, headers={"content-type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


WHOLE = HEAD + FILE + b"RIFF\r\n--x--\r\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(WHOLE)), end=st.integers(0, len(WHOLE)), put=st.binary(max_size=8))
async def test_no_form_that_is_cut_or_changed_is_a_mistake_of_ours(
    gateway: GatewayProcess, at: int, end: int, put: bytes
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    async with gateway.http() as http:
        answer = await http.post(PATH, content=WHOLE[:at] + put + WHOLE[end:], headers=headers)
    assert answer.status_code == 400


async def test_a_form_that_is_sent_again_is_transcribed_once_though_its_parts_are_divided_otherwise(
    gateway: GatewayProcess, simulator: Control
) -> None:
    async with gateway.http(await new_key()) as http:

        async def asked(file: Any) -> httpx.Response:
            files, headers = {"file": file}, {"Idempotency-Key": "talk"}
            return await http.post(PATH, data={"model": "sim-whisper"}, files=files, headers=headers)

        first, again, other = await asked(TALK), await asked(TALK), await asked(("talk.wav", wav(2), "audio/wav"))
    assert first.json() == again.json()
    assert len(await simulator.calls("sim-whisper")) == 1
    assert other.status_code == 422
