"""A recording is written down, translated and summed up; only the first model is given the audio."""

import json
from pathlib import Path

import pytest
from temporalio.client import Client

from continuo.config.settings import Settings
from continuo.door.media import keep
from continuo.jobs import Job
from continuo.messages import Message, ModelRequest
from continuo.patterns import Call, Fallback, Retry, Step
from continuo.testing.processes import Control, job, outcome
from tests.support.commands import continuo, typed
from tests.support.media import part, png, wav

ONCE = Retry(attempts=1)


async def heard(client: Client, step: Step, seconds: int = 1) -> Job:
    talk = part(content := wav(seconds), "talk.wav")
    await keep(client, Settings(), {talk: content})
    request = ModelRequest(messages=(Message(role="user", content=(talk,)),))
    return job(step).model_copy(update={"request": request})


@pytest.mark.usefixtures("worker")
async def test_a_meeting_is_written_down_translated_and_summed_up(simulator: Control, tmp_path: Path) -> None:
    (tmp_path / "talk.wav").write_bytes(wav(2))
    await simulator.behave("sim-transcribe", text="Wir treffen uns am Montag.")
    found = await continuo("run", "meeting", "--audio", str(tmp_path / "talk.wav"), "--json")
    assert found.code == 0, found.err
    told = json.loads(found.out)
    assert list(told["outputs"]) == ["transcript", "translation", "summary"]
    assert told["outputs"]["transcript"] == "Wir treffen uns am Montag."
    first, second, third = await simulator.calls()
    assert (first["model"], first["body"]["file"]["seconds"]) == ("sim-transcribe", 2.0)
    assert second["body"]["messages"][-1] == {"role": "user", "content": "Wir treffen uns am Montag."}
    assert third["body"]["messages"][-1]["content"] == told["outputs"]["translation"]


@pytest.mark.usefixtures("worker")
async def test_what_follows_a_transcript_need_take_no_audio(client: Client, simulator: Control) -> None:
    found = await outcome(client, await heard(client, Call(model="sim-whisper") >> Call(model="sim-unpriced")))
    assert found.model == "sim-unpriced"


@pytest.mark.usefixtures("worker")
async def test_audio_is_paid_by_the_minute_and_told_in_seconds(client: Client, simulator: Control) -> None:
    found = await outcome(client, await heard(client, Call(model="sim-whisper"), seconds=3))
    [call] = found.calls
    assert (call.usage.seconds, call.cost_usd, found.cost_usd) == (3.0, 0.03, 0.03)


@pytest.mark.usefixtures("worker")
async def test_another_model_transcribes_where_the_first_cannot(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-transcribe", status=400)
    steps = (Call(model="sim-transcribe", retry=ONCE), Call(model="sim-whisper"))
    found = await outcome(client, await heard(client, Fallback(steps=steps)))
    assert (found.model, found.tier) == ("sim-whisper", 2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["meeting", "Hello?"],
            "model 'sim-transcribe' transcribes one audio, and the request has none; name one",
        ),
        (["meeting", "--audio", "talk.wav", "--audio", "more.wav"], "the request has 2; send one"),
        (["meeting", "--image", "photo.png"], "transcribes one audio, and the request has none"),
        (["meeting", "--audio", "talk.wav", "--image", "photo.png"], "'sim-transcribe' of the pattern takes no image"),
        (["meeting", "--audio", "large.wav"], "large.wav has 20,000,001 bytes, more than 20,000,000"),
        (
            ["late.yaml", "--audio", "talk.wav"],
            "'sim-transcribe' transcribes audio, and a step of the pattern",
        ),
        (["model:sim-premium", "--audio", "talk.wav"], "model 'sim-premium' of the pattern takes no audio"),
    ],
)
def test_what_cannot_be_transcribed_is_refused_in_one_line_before_anything_runs(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CONTINUO_SIMULATED", "1")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    for name, content in (("talk.wav", wav()), ("more.wav", wav(2)), ("photo.png", png())):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "large.wav").write_bytes(wav() + bytes(20_000_001 - len(wav())))
    steps = "[{name: a, step: {kind: call, model: mid}}, {name: b, step: {kind: call, model: transcribe}}]"
    (tmp_path / "late.yaml").write_text(f"description: x\npattern: {{kind: pipeline, steps: {steps}}}\n")
    assert typed(monkeypatch, "run", *arguments) == 2
    error = capsys.readouterr().err
    assert says in " ".join(error.split())
    assert error.count("error:") == 1
