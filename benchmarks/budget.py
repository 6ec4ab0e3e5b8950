"""Where one run's time goes: processor time of each process, requests to the Temporal server, and what that keeps."""

import re
from collections import Counter
from collections.abc import Mapping

import httpx
from rich.table import Table

from benchmarks.cases import MODEL
from benchmarks.measure import CONCURRENCY, crowd
from benchmarks.processes import processor_seconds
from benchmarks.stage import PROMPT, Stage
from continuo.patterns import Call

REQUESTS = re.compile(r'^service_requests\{.*operation="(\w+)".*service_name="frontend".*\} (\S+)$', re.MULTILINE)


async def budget(stage: Stage, *, runs: int) -> Table:
    """One call by hand, as an activity and as a local activity, `runs` of each at 20 at once."""
    contestants = {
        "bare": stage.bare("BareFallback", [MODEL], PROMPT),
        "continuo": stage.continuo(Call(model=MODEL)),
        "continuo, local": stage.continuo(Call(model=MODEL, local=True)),
    }
    table = Table("one call", *stage.processes, "all", "requests", "events", "bytes")
    table.title = "ms of processor time of a run, requests to the server, and its history"
    for name, run in contestants.items():
        await crowd(run, CONCURRENCY)  # warm up
        cpu, requests = _cpu(stage), await _requests(stage)
        await crowd(run, runs)
        spent = {process: 1000 * (seconds - cpu[process]) / runs for process, seconds in _cpu(stage).items()}
        asked = sum((await _requests(stage) - requests).values()) / runs
        newest = await anext(aiter(stage.client.list_workflows("ExecutionStatus = 'Completed'", limit=1)))
        info = newest.raw_info
        times = [f"{ms:.1f}" for ms in (*spent.values(), sum(spent.values()))]
        table.add_row(name, *times, f"{asked:.1f}", str(info.history_length), f"{info.history_size_bytes:,}")
    return table


def _cpu(stage: Stage) -> Mapping[str, float]:
    """Seconds of processor time that the processes have used; the worker is the pool and the twin together."""
    return {name: sum(map(processor_seconds, pids)) for name, pids in stage.processes.items()}


async def _requests(stage: Stage) -> Counter[str]:
    """How often each of the Temporal server's methods was called, by its own count; polls that found nothing too."""
    async with httpx.AsyncClient() as http:
        metrics = (await http.get(f"http://127.0.0.1:{stage.metrics_port}/metrics")).text
    found: Counter[str] = Counter()
    for method, count in REQUESTS.findall(metrics):
        found[method] += round(float(count))
    return found
