"""What is asked: completions of a model and of a pattern, streams, and batches of patterns."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from benchmarks.cluster.load.client import PATIENCE, Client, Lost
from continuo.testing.processes import Control, until

STORY = " ".join(f"word{number}" for number in range(60))
"""What the model of the streams says, in twenty pieces."""

STREAMED = "goes-on"
"""A pattern whose stream another worker goes on with."""

LINES = 8
"""Of a batch."""

LATENCIES: Mapping[str, float] = {"sim-mid": 0.3, "sim-premium": 0.5, "sim-mini": 0.2}
PACE = 0.05
"""Seconds between two pieces of a stream."""


class Kind(NamedTuple):
    """`weight` is the share of all requests, `runs` the answers of one."""

    weight: float
    ask: Callable[["Askers"], Awaitable[None]]
    runs: int = 1


class Askers(NamedTuple):
    """Clients by the priority of their keys."""

    standard: Client
    critical: Client


def write_patterns(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "description: streams\npattern: {kind: call, model: sim-mini, on_break: continue}\n"
    (folder / f"{STREAMED}.yaml").write_text(text, encoding="utf-8")


async def prepare(simulator: Control) -> None:
    for model, latency in LATENCIES.items():
        await simulator.behave(model, latency=latency)
    await simulator.behave("sim-mini", latency=LATENCIES["sim-mini"], text=STORY, pace=PACE)


def _body(model: str, name: str) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": f"Where is {name}?"}]}


async def _complete(client: Client, model: str) -> None:
    name = str(uuid4())
    answer = await client.post("/chat/completions", json=_body(model, name))
    if name not in answer["choices"][0]["message"]["content"]:
        raise Lost("the answer is another's")


async def completion(askers: Askers) -> None:
    await _complete(askers.standard, "sim-mid")


async def pattern(askers: Askers) -> None:
    await _complete(askers.critical, "support")


async def stream(askers: Askers) -> None:
    text = await askers.standard.streamed("/chat/completions", _body(STREAMED, str(uuid4())))
    if text != STORY:
        raise Lost(f"the stream is not whole, or more than that: {text}")


async def batch(askers: Askers) -> None:
    client, url = askers.standard, "/v1/chat/completions"
    lines = [
        {"custom_id": str(number), "method": "POST", "url": url, "body": _body("cost-optimised", str(uuid4()))}
        for number in range(LINES)
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    file = await client.post("/files", files={"file": ("lines.jsonl", content)}, data={"purpose": "batch"})
    begun = await client.post(
        "/batches", json={"input_file_id": file["id"], "endpoint": url, "completion_window": "24h"}
    )

    async def now() -> dict[str, Any]:
        found: dict[str, Any] = (await client.get(f"/batches/{begun['id']}")).json()
        return found

    async def ended() -> bool:
        return bool((await now())["status"] == "completed")

    await until(ended, timeout=PATIENCE, every=0.5)
    done = await now()
    if done["request_counts"]["completed"] != LINES:
        raise Lost(f"a batch of {LINES} lines came to {done['request_counts']}")


KINDS: Mapping[str, Kind] = {
    "completion of a model": Kind(0.45, completion),
    "completion of a pattern": Kind(0.25, pattern),
    "stream": Kind(0.27, stream),
    f"batch of {LINES} patterns": Kind(0.03, batch, LINES),
}
