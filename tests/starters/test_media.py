"""`continuo run --image`, `--audio` and `--file`, as a person types them."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from continuo.config.defaults import DEFAULTS
from continuo.starters.media import read_media
from continuo.testing.processes import Control
from tests.support.commands import continuo, typed
from tests.support.media import PDF, png, wav

PHOTO = png()


def written(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


@pytest.mark.usefixtures("worker")
async def test_an_image_is_described_without_another_word(simulator: Control, tmp_path: Path) -> None:
    found = await continuo("run", "describe", "--image", written(tmp_path, "photo.png", PHOTO), "--json")
    assert found.code == 0, found.err
    outcome = json.loads(found.out)
    assert "image/png of" in outcome["text"]
    [call] = await simulator.calls()
    assert b64encode(PHOTO).decode() in str(call["body"])


@pytest.mark.usefixtures("worker")
async def test_several_media_of_each_kind_stand_before_the_question(simulator: Control, tmp_path: Path) -> None:
    one, two = (written(tmp_path, f"{seed}.png", png(seed=seed)) for seed in (1, 2))
    talk, paper = written(tmp_path, "talk.wav", wav()), written(tmp_path, "paper.pdf", PDF)
    media = ["--image", one, "--image", two, "--audio", talk, "--file", paper]
    found = await continuo("run", "describe", "What is new?", *media)
    assert found.code == 0, found.err
    [call] = await simulator.calls()
    content = call["body"]["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["image_url", "image_url", "input_audio", "file", "text"]
    assert content[-1]["text"] == "What is new?"


@pytest.mark.parametrize(
    ("pattern", "arguments", "says"),
    [
        ("describe", ["--image", "none.png"], "cannot read none.png: No such file or directory; name a file"),
        ("describe", ["--image", "talk.png"], "--image talk.png holds audio/wav; send it as --audio"),
        ("describe", ["--file", "program.pdf"], "program.pdf is of a type that is not taken; images as PNG"),
        ("describe", ["--image", "empty.png"], "empty.png is empty; name a file with content"),
        ("describe", ["--image", "large.png"], "large.png has 20,000,001 bytes, more than 20,000,000"),
        ("describe", ["--image", "http://localhost/a.png"], "http://localhost/a.png is no https address; name one"),
        ("describe", ["--image", "https://x.example/a.png"], "is of a host that is not allowed; add x.example to"),
        ("describe", ["--image", "https://localhost/a.png"], ", which is no public address; name a file"),
        ("describe", ["--image", "https://localhost:x/a.png"], "https://localhost:x/a.png is no address: Port could"),
        ("model:knowledge", ["--image", "photo.png"], "model 'knowledge' of the pattern takes no image; use one whose"),
        ("help-pages", ["--image", "photo.png"], "model 'knowledge' of the pattern takes no image; use one whose"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line_before_anything_runs(
    pattern: str,
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CONTINUO_SIMULATED", "1")
    monkeypatch.setenv("CONTINUO_CATALOG", str(DEFAULTS / "catalog.toml"))
    monkeypatch.setenv("CONTINUO_MEDIA_HOSTS", "media.example, LOCALHOST")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    for name, content in (
        ("talk.png", wav()),
        ("program.pdf", b"\x7fELF\xff"),
        ("empty.png", b""),
        ("large.png", PHOTO + bytes(20_000_001 - len(PHOTO))),
        ("photo.png", PHOTO),
    ):
        written(tmp_path, name, content)
    assert typed(monkeypatch, "run", pattern, *arguments) == 2
    error = capsys.readouterr().err
    assert says in " ".join(error.split())
    assert error.count("error:") == 1


async def test_a_key_in_an_address_is_no_part_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fetched(address: str, hosts: str) -> bytes:
        return PHOTO

    monkeypatch.setattr("continuo.starters.fetched.fetched", fetched)
    [photo] = await read_media({"image": ["https://media.example/a/photo.png?key=5ecret#top"]}, "media.example")
    assert photo.name == "photo.png"
