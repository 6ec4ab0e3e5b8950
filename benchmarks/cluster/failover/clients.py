"""Clients that want one job each: they ask under one `Idempotency-Key`, wherever it is answered, until it has ended."""

import asyncio
import time
from dataclasses import dataclass, field

import httpx

from continuo.errors import InputError

PATTERN, STEPS = "four-steps", 4
MODEL, LATENCY = "sim-mid", 0.3
"""What each step asks, and the seconds that it takes to answer."""

PAUSE = 1.0
"""Seconds between two questions of a client."""

YAML = f"description: asks a model {STEPS} times\npattern:\n  kind: pipeline\n  steps:\n" + "".join(
    f'    - {{name: step{number}, prompt: "{number}. {{input}}", step: {{kind: call, model: {MODEL}}}}}\n'
    for number in range(1, STEPS + 1)
)


@dataclass
class Site:
    """Where the gateways are, for all clients: what a name server says."""

    url: str


@dataclass
class Client:
    """What became of its job: its id where it was accepted first, the seconds that this took, and when that was and
    when it was answered, by `time.time()`."""

    number: int
    id: str | None = None
    took: float = 0.0
    accepted: float = 0.0
    answered: float = 0.0
    _known: str | None = field(default=None, repr=False)

    async def ask(self, http: httpx.AsyncClient, site: Site, due: float) -> None:
        """Begin at `due`. Raises `InputError` for a job that fails."""
        await asyncio.sleep(due - time.time())
        while not self.answered:
            try:
                await self._once(http, site.url)
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if isinstance(error, httpx.HTTPStatusError) and error.response.status_code == 404:
                    # It was accepted by gateways that are gone.
                    self._known = None
            await asyncio.sleep(PAUSE)

    async def _once(self, http: httpx.AsyncClient, url: str) -> None:
        began = time.time()
        if self._known is None:
            body, headers = {"pattern": PATTERN, "input": f"job {self.number}"}, {"idempotency-key": f"{self.number}"}
            response = await http.post(f"{url}/v1/jobs", json=body, headers=headers)
        else:
            response = await http.get(f"{url}/v1/jobs/{self._known}")
        job = response.raise_for_status().json()
        now, self._known = time.time(), job["id"]
        if self.id is None:
            self.id, self.accepted, self.took = job["id"], now, now - began
        if job["status"] == "completed":
            self.answered = now
        elif job["status"] not in ("queued", "running"):
            raise InputError(f"job {self.number} has {job['status']}: {job.get('error')}")
