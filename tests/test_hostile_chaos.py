"""Upstreams that lie, drip, burst, lose answers and repeat keys, and workers killed meanwhile: what is asked, paid,
told and kept then, with the upstream's own count as the judge."""

import asyncio
import json
import random
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from continuo.data import Data
from continuo.door.runs import result
from continuo.patterns import Call, Fallback, Http, Retry, Step, Template
from continuo.patterns.walk import replaced
from continuo.testing.processes import Control, begin, job, kill, served
from tests.support.books import books, complaints, in_flight, settled
from tests.support.config_files import written_catalog
from tests.support.hostile_upstream import KINDS
from tests.support.memory import peak
from tests.support.world import World, made
from tests.test_chaos import some_trees

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

CANARY = 'sk-canary/0123456789"abcdef+XYZ%&ghijklmnop'
MODELS = ["hostile-openai", "hostile-anthropic"]
SEED, RUNS, KILLS, ATTEMPTS = 0, 50, 2, 3
MEMORY = 600
"""Megabytes of a pool, at its most."""

CATALOG = """
[providers.hostile-openai]
protocol = "openai"
base_url_env = "HOSTILE_URL"
path = "/v1"
key_env = "HOSTILE_KEY"
simulated = true
breaker = { failures = 1000000 }

[providers.hostile-anthropic]
protocol = "anthropic"
base_url_env = "HOSTILE_URL"
path = "/v1"
key_env = "HOSTILE_KEY"
simulated = true
breaker = { failures = 1000000 }

[services.hostile]
base_url_env = "HOSTILE_URL"
key_env = "HOSTILE_KEY"
"""
MODEL = """
[models.{0}]
provider = "{0}"
price = {{ input = 1.0, output = 2.0, cached = 0.1, source = "here", date = 2026-11-25 }}

"""


@pytest.fixture
async def hostile(tmp_path: Path, environ: pytest.MonkeyPatch) -> AsyncIterator[tuple[World, Control]]:
    """A world with an upstream that follows the seed."""
    catalog = written_catalog(tmp_path)
    models = "".join(map(MODEL.format, MODELS))
    catalog.write_text(catalog.read_text(encoding="utf-8") + models + CATALOG)
    log = tmp_path / "upstream.log"
    async with served("tests.support.hostile_upstream", "--seed", str(SEED), log=log) as upstream:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONTINUO_CATALOG", str(catalog))
            patch.setenv("HOSTILE_URL", upstream.url)
            patch.setenv("HOSTILE_KEY", CANARY)
            async with made(tmp_path) as world:
                yield world, upstream


async def test_whatever_an_upstream_does_and_whoever_is_killed_the_books_agree_with_its_count(
    hostile: tuple[World, Control],
) -> None:
    world, upstream = hostile
    chance = random.Random(SEED)
    grown = some_trees(SEED, MODELS, sagas=False)
    steps = [hurried(step) for step in (*grown, *map(plainly, range(RUNS)))]
    chance.shuffle(steps)
    pools = await asyncio.gather(world.pool(), world.pool())
    database = world.journal()
    handles, kills, peaks = [], list[int](), list[int]()
    for part in range(KILLS):
        asking = (begin(world.client, job(step, f"{part} {n}")) for n, step in enumerate(steps[part::KILLS]))
        handles += await asyncio.gather(*asking)
        # The moment is what is random here, so nothing can be waited for.
        await asyncio.sleep(chance.uniform(0.05, 3))
        peaks += [peak(pool.pid) // 2**20 for pool in pools]
        for pool in pools:
            await kill(pool)
        known = (await books(database)).journal
        kills.append(await settled(upstream))
        pools = await asyncio.gather(world.pool(), world.pool())
        assert not known & {call["idempotency_key"] for call in (await upstream.calls())[kills[-1] :]}
    found = await asyncio.wait_for(asyncio.gather(*map(result, handles)), 400)
    peaks += [peak(pool.pid) // 2**20 for pool in pools]
    calls, kept = await upstream.calls(), await books(database)
    await database.aclose()

    kinds = Counter(call["kind"] for call in calls)
    repeated = in_flight(calls, kills, attempts=ATTEMPTS, ends="ends")
    print(f"{len(calls)} requests, {repeated} of them in flight at a kill; pools of at most {max(peaks)} MB; {kinds}")
    kept.check(found)
    assert kept.journal <= {call["idempotency_key"] for call in calls if KINDS[call["kind"]].answers}
    # Whatever a provider may bill for is in the ledger, as an answer or as an estimate.
    booked = {row["identity"].split("#")[0] for row in kept.ledger}
    billed = {call["idempotency_key"] for call in calls if call["model"] in MODELS and not call["free"]}
    assert billed == booked
    assert complaints(world.folder) == []
    assert max(peaks) < MEMORY
    assert seen(CANARY, "\n".join(one.to_json() for one in found).encode()) == []
    # Processes keep some of what they know in memory until they end.
    for pool in pools:
        await pool.stop()
    await world.temporal.stop()
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert {str(path): forms for path in files if (forms := seen(CANARY, path.read_bytes()))} == {}


def plainly(number: int) -> Step:
    """A single call or request, with and without a last resort."""
    quick = Retry(attempts=ATTEMPTS, initial=0.05)
    single: Step = Http(service="hostile", path=f"/{number}", retry=quick)
    if number % 3:
        single = Call(model=MODELS[number % 3 - 1], retry=quick)
    return Fallback(steps=(single, Template(text="Sorry."))) if number % 2 else single


def hurried(step: Step) -> Step:
    """The same with little time for each call: drips are not worth waiting for."""

    def change(spec: Data) -> Data:
        return spec.model_copy(update={"timeout": 3.0}) if isinstance(spec, Call | Http) else spec

    return replaced(step, change)


def seen(secret: str, kept: bytes) -> list[bytes]:
    """The forms of the secret that stand in what was kept."""
    # Half of it will do: what was cut short is found too, and no escape that one way writes so and another not.
    half = secret[: len(secret) // 2]
    forms = {half, json.dumps(half)[1:-1], quote(half, safe=""), quote(half)}
    for before in range(3):
        packed = b64encode(b"x" * before + half.encode()).decode()
        forms.add(packed[4 : len(packed) - 4])
    return [form.encode() for form in sorted(forms) if form.encode() in kept]
