"""Who is measured, and what is asked of each."""

import json
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.processes import family, resident_bytes


@dataclass(frozen=True)
class Contestant:
    """`processes` are the ids of all processes that answer, but for the provider."""

    name: str
    url: str
    key: str
    processes: tuple[int, ...] = ()
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        client = httpx.AsyncClient(
            base_url=self.url,
            headers={"authorization": f"Bearer {self.key}"},
            limits=httpx.Limits(max_connections=40),
            timeout=60,
        )
        object.__setattr__(self, "http", client)

    async def models(self) -> bool:
        """Whether it tells its models: it is ready then."""
        return (await self.http.get("/models")).is_success

    async def ask(self, model: str, *, same: bool = False) -> None:
        """One completion; `same` asks the same every time. Raises `RuntimeError` where there is none."""
        response = await self.http.post("/chat/completions", json=_body(model, same=same))
        if not response.is_success:
            raise RuntimeError(f"{self.name}, {model}: {response.status_code} {response.text}")

    async def stream(self, model: str) -> tuple[float, list[float]]:
        """Seconds to the first token, and between each two."""
        times, started = [], time.perf_counter()
        async with self.http.stream("POST", "/chat/completions", json=_body(model) | {"stream": True}) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: {") and _says_something(json.loads(line.removeprefix("data: "))):
                    times.append(time.perf_counter())
        return times[0] - started, [later - sooner for sooner, later in pairwise(times)]

    def resident(self) -> int:
        """Megabytes of memory of its processes and theirs."""
        return sum(resident_bytes(pid) for root in self.processes for pid in family(root)) // 2**20


def _body(model: str, *, same: bool = False) -> dict[str, Any]:
    prompt = "Where is my order?" if same else f"Where is my order {uuid4()}?"
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


def _says_something(chunk: dict[str, Any]) -> bool:
    return any(choice["delta"].get("content") for choice in chunk["choices"])
