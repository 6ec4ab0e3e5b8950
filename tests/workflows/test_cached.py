import asyncio
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.activities.models import ModelCalls
from continuo.door.runs import result
from continuo.jobs import Job, Outcome
from continuo.patterns import Cached, Call, Fallback, FanOut, Retry, Step, Template
from continuo.patterns.choices import Concatenate, Semantic
from continuo.testing.processes import Control, begin, failure, job, outcome, until

pytestmark = pytest.mark.usefixtures("worker")
ONCE = Retry(attempts=1)
MID = Call(model="mid", retry=ONCE)


@pytest.fixture
def prompt() -> str:
    """A question nobody has asked before."""
    return f"Question {uuid4()}"


def of(asked: Job, **context: str) -> Job:
    return asked.model_copy(update={"context": asked.context.model_copy(update=context)})


async def test_the_second_time_the_cache_answers_and_says_what_that_saved(
    client: Client, simulator: Control, prompt: str
) -> None:
    await simulator.behave("sim-mid", tokens={"input": 100, "output": 100}, text="once")
    asked = job(Cached(MID), prompt)
    first, second = await outcome(client, asked), await outcome(client, asked)
    assert (first.served_by, first.saved_usd) == ("model", None)
    assert (second.served_by, second.cost_usd, second.saved_usd) == ("cache", 0, first.cost_usd)
    assert (second.text, second.model, second.simulated, second.calls) == ("once", "sim-mid", True, ())
    assert [point.name for point in (*first.checkpoints, *second.checkpoints)] == ["cache: miss", "cache: hit"]
    assert len(await simulator.calls()) == 1


async def test_an_entry_is_gone_after_its_time(client: Client, simulator: Control, prompt: str) -> None:
    asked = job(Cached(MID, ttl=0.5), prompt)
    await outcome(client, asked)

    async def asked_again() -> bool:
        await outcome(client, asked)
        return len(await simulator.calls()) == 2

    await until(asked_again, timeout=10)


@pytest.mark.parametrize(
    ("step", "other"),
    [
        (Cached(MID), {"tenant": "globex"}),
        (Cached(MID, key=("prompt", "user")), {"user": "ada"}),
    ],
)
async def test_what_is_in_the_key_divides_the_answers(
    client: Client, simulator: Control, prompt: str, step: Cached, other: dict[str, str]
) -> None:
    asked = job(step, prompt)
    await outcome(client, asked)
    assert (await outcome(client, of(asked, **other))).served_by == "model"
    assert (await outcome(client, of(asked, priority="critical"))).served_by == "cache"


async def test_concurrent_misses_run_the_step_once(client: Client, simulator: Control, prompt: str) -> None:
    await simulator.behave("sim-mid", latency=1)
    asked = job(Cached(MID), prompt)
    mixed = [of(asked, priority=priority) for priority in ("standard", "critical") * 5]
    found = await asyncio.gather(*(outcome(client, one) for one in mixed))
    assert sorted(one.served_by for one in found) == ["cache"] * 9 + ["model"]
    assert len(await simulator.calls()) == 1


async def test_those_who_waited_for_a_failure_try_for_themselves_at_once(
    client: Client, simulator: Control, prompt: str
) -> None:
    await simulator.behave("sim-mid", latency=1, outage=1, status=400)
    handles = [await begin(client, job(Cached(MID), prompt)) for _ in range(4)]
    found = await asyncio.gather(*map(result, handles))
    assert len([one for one in found if one.calls and one.calls[0].status == "failed"]) == 1
    assert len(await simulator.calls()) == 4


async def test_a_cancelled_run_lets_the_next_one_go_at_once(client: Client, simulator: Control, prompt: str) -> None:
    await simulator.behave("sim-mid", latency=60)
    handle = await begin(client, job(Cached(MID), prompt))
    await until(simulator.calls)
    await handle.cancel()
    await result(handle)
    await simulator.behave("sim-mid", text="quick")
    assert (await outcome(client, job(Cached(MID), prompt))).text == "quick"


async def test_a_run_that_takes_long_is_waited_for_and_one_that_was_terminated_is_not(
    client: Client, simulator: Control, prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.stores.sqlite.cache.FLIGHT", 0.2)
    await simulator.behave("sim-mid", latency=60)
    first = await begin(client, job(Cached(MID), prompt))
    await until(simulator.calls)
    second = await begin(client, job(Cached(MID), prompt))

    async def looked_often() -> bool:
        return (await second.describe()).history_length > 35

    await until(looked_often)
    assert len(await simulator.calls()) == 1
    await simulator.behave("sim-mid", text="at last")
    await first.terminate()
    found = await result(second)
    assert isinstance(found, Outcome)
    assert (found.text, found.served_by) == ("at last", "model")


@pytest.mark.parametrize(
    "step",
    [
        Fallback(steps=(MID, Template(text="later"))),
        FanOut(branches={"a": MID, "b": Template(text="b")}, min_successes=1, merge=Concatenate()),
    ],
    ids=["a template in reserve", "a partial outcome"],
)
async def test_what_only_stands_in_for_an_answer_is_not_kept(
    client: Client, simulator: Control, prompt: str, step: Step
) -> None:
    await simulator.behave("sim-mid", status=400)
    asked = job(Cached(step), prompt)
    await outcome(client, asked)
    await simulator.behave("sim-mid", text="the model again")
    assert "the model again" in (await outcome(client, asked)).text


async def test_an_error_is_not_kept(client: Client, simulator: Control, prompt: str) -> None:
    await simulator.behave("sim-mid", status=400)
    assert (await failure(client, job(Cached(MID), prompt))).type == "invalid_request"
    await simulator.behave("sim-mid", text="well again")
    assert (await outcome(client, job(Cached(MID), prompt))).text == "well again"


async def test_the_inner_pattern_is_accounted_to_the_run_that_ran_it(
    client: Client, simulator: Control, prompt: str
) -> None:
    await simulator.behave("sim-mid", tokens={"input": 100, "output": 100})
    both = Call(model="mid") >> Cached(MID)
    first, second = await outcome(client, job(both, prompt)), await outcome(client, job(both, prompt))
    assert [call.path for call in first.calls] == ["step1", "step2.miss"]
    assert [call.path for call in second.calls] == ["step1"]
    assert second.saved_usd == pytest.approx(0.001)


SEMANTIC = Cached(MID, semantic=Semantic(model="embed", threshold=0.9))


async def meaning(simulator: Control, *texts: tuple[str, list[float]]) -> None:
    await simulator.behave("sim-embed", embeddings=dict(texts), tokens={"input": 10, "output": 0})


async def test_a_question_that_means_the_same_is_answered_from_the_cache(
    client: Client, simulator: Control, prompt: str
) -> None:
    same, other = f"{prompt}, in other words", f"{prompt}, or not"
    await meaning(simulator, (prompt, [1, 0.1]), (same, [1, 0.2]), (other, [0.1, 1]))
    await simulator.behave("sim-mid", tokens={"input": 100, "output": 100})
    first = await outcome(client, job(SEMANTIC, prompt))
    assert [(call.path, call.model) for call in first.calls] == [("embedding", "sim-embed"), ("miss", "sim-mid")]
    assert first.cost_usd == pytest.approx(10 * 0.1 / 1e6 + 0.001)
    found = await outcome(client, job(SEMANTIC, same))
    assert (found.served_by, found.text) == ("cache", first.text)
    assert found.saved_usd == pytest.approx(0.001)
    assert found.cost_usd == pytest.approx(10 * 0.1 / 1e6)
    assert [point.name for point in found.checkpoints] == ["cache: hit by meaning"]
    assert (await outcome(client, job(SEMANTIC, other))).served_by == "model"


async def test_an_embedding_has_a_field_of_its_own_and_that_of_an_earlier_version_is_read_too(
    client: Client, simulator: Control, prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, again = f"{prompt}, in other words", f"{prompt}, once more"
    await meaning(simulator, (prompt, [1, 0.1]), (same, [1, 0.2]), (again, [1, 0.1]))
    begun = await begin(client, job(SEMANTIC, prompt))
    await result(begun)
    completed = [
        event.activity_task_completed_event_attributes.result.payloads[0].data
        for event in (await begun.fetch_history()).events
        if event.HasField("activity_task_completed_event_attributes")
    ]
    embedded = Outcome.model_validate_json(completed[0])
    assert (embedded.text, bool(embedded.embedding)) == ("", True)
    assert (await outcome(client, job(SEMANTIC, same))).served_by == "cache"

    async def earlier(self: ModelCalls, *given: Any, **how: Any) -> Outcome:
        made = await embed(self, *given, **how)
        return made.model_copy(update={"text": made.embedding, "embedding": None})

    embed = ModelCalls._embed
    monkeypatch.setattr(ModelCalls, "_embed", earlier)
    assert (await outcome(client, job(SEMANTIC, again))).served_by == "cache"


async def test_the_same_words_need_no_embedding(client: Client, simulator: Control, prompt: str) -> None:
    await outcome(client, job(SEMANTIC, prompt))
    assert (await outcome(client, job(SEMANTIC, prompt))).calls == ()


async def test_what_else_is_in_the_key_must_be_the_same_however_near_the_meaning(
    client: Client, simulator: Control, prompt: str
) -> None:
    same = f"{prompt}, in other words"
    await meaning(simulator, (prompt, [1, 0.1]), (same, [1, 0.1]))
    await outcome(client, job(SEMANTIC, prompt))
    assert (await outcome(client, of(job(SEMANTIC, same), tenant="globex"))).served_by == "model"
    assert (await outcome(client, job(SEMANTIC, same, order=1))).served_by == "model"


async def test_without_its_embedding_model_the_cache_goes_on_by_words(
    client: Client, simulator: Control, prompt: str
) -> None:
    await simulator.behave("sim-embed", status=503)
    first, second = await outcome(client, job(SEMANTIC, prompt)), await outcome(client, job(SEMANTIC, prompt))
    assert [(call.path, call.status) for call in first.calls] == [("embedding", "failed"), ("miss", "ok")]
    assert second.served_by == "cache"
