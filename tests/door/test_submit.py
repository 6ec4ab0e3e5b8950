"""From what somebody asks to a run, and what its caller knows of that."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import Client

from continuo.authoring.library import Library
from continuo.authoring.prepare import MAX_INPUT_BYTES
from continuo.config.defaults import DEFAULTS
from continuo.door import Door, Request, Run, stages
from continuo.door.stages import accepted, again
from continuo.door.submit import run_id
from continuo.errors import InputError
from continuo.jobs import Context, Failure, Job, KeyTerms, Outcome
from continuo.messages import Message
from continuo.patterns import Call, Fallback, Retry, Template
from continuo.testing.processes import Control, until
from tests.support.media import part, png

pytestmark = pytest.mark.usefixtures("worker")

FILE = str(DEFAULTS / "patterns" / "answer.yaml")
ACME = Context(tenant="acme")


@pytest.fixture
def door(client: Client, worker: None) -> Door:
    return Door(client, Library())


async def answer(run: Run) -> Outcome:
    outcome = await run.result()
    assert isinstance(outcome, Outcome), outcome
    return outcome


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (Request(pattern="answer", prompt="Hello"), "answer"),
        (Request(pattern=FILE, prompt="Hello"), FILE),
        (Request(pattern="model:mini", prompt="Hello"), "model:mini"),
        (Request(pattern=Call(model="mini"), prompt="Hello"), "call"),
        (Request(pattern=Call(model="mini"), name="greet", prompt="Hello"), "greet"),
        (Request(pattern=Call(model="mini"), messages=(Message(role="user", content="Hello"),)), "call"),
        (Request(pattern=Call(model="mini"), data={"greeting": "Hello"}), "call"),
    ],
    ids=["name", "path", "model", "step", "named step", "messages", "data"],
)
async def test_each_way_to_ask_has_an_answer(door: Door, request_: Request, name: str) -> None:
    run = await door.submit(request_, ACME)
    outcome = await answer(run)
    assert (outcome.served_by, outcome.workflow_id, outcome.run_id) == ("model", run.id, run.run_id)
    assert not run.answered_before
    description = await run.handle.describe()
    assert await description.static_summary() == f"{name} for acme"


@pytest.mark.parametrize(
    ("fields", "text"),
    [({"prompt": "What is it?"}, "What is it?"), ({"data": {"seen": "Malmö"}}, '{"seen": "Malmö"}'), ({}, "")],
    ids=["prompt", "data", "alone"],
)
def test_media_stand_before_the_prompt_or_the_data(door: Door, fields: dict[str, object], text: str) -> None:
    image = part(png())
    job = accepted(door.library, Request.model_validate({"pattern": "describe", "media": (image,), **fields}), ACME)
    assert (job.request.media, job.request.prompt) == ((image,), text)
    [turn] = job.request.messages
    assert turn.content[0] == image


def test_a_job_has_all_messages_and_the_instructions(door: Door) -> None:
    turns = (
        Message(role="user", content="One"),
        Message(role="assistant", content="Two"),
        Message(role="user", content="Three"),
    )
    job = accepted(door.library, Request(pattern=Call(model="mini"), messages=turns, system="Be brief."), ACME)
    assert (job.request.messages, job.request.system, job.request.prompt) == (turns, "Be brief.", "Three")


async def test_a_request_with_an_id_is_joined_while_it_runs_and_not_done_again_when_it_has_answered(
    door: Door, simulator: Control
) -> None:
    await simulator.behave("sim-mini", latency=1.0)
    request = Request(pattern="model:mini", prompt="Hello", id=str(uuid4()))
    first, joined = await asyncio.gather(door.submit(request, ACME), door.submit(request, ACME))
    assert (joined.id, joined.run_id, joined.answered_before) == (first.id, first.run_id, False)
    text = (await answer(first)).text
    again = await door.submit(request, ACME)
    assert (again.run_id, again.answered_before) == (first.run_id, True)
    assert (await answer(again)).text == text
    assert len(await simulator.calls()) == 1
    other = await door.submit(request, Context(tenant="modest"))
    assert not other.answered_before
    await answer(other)


NAMES = st.one_of(st.sampled_from(["v1", "v1.2", "v1.3", "a/b", "a%2Fb", "b", "gpt-4.1"]), st.text("ab/%.", min_size=1))
ASKED = st.tuples(NAMES, st.sampled_from(["a", "b", "a.b"]), st.text("ab/", min_size=1, max_size=5))


@given(ASKED, ASKED)
def test_two_patterns_tenants_or_ids_never_share_a_run(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    ids = {
        run_id(Request(pattern=Template(text="Hello"), name=name, prompt="Hi", id=id), tenant)
        for name, tenant, id in (one, other)
    }
    assert len(ids) == len({one, other})


@pytest.mark.parametrize(
    ("pattern", "id"),
    [("order", "order/acme/1042"), (FILE, "answer/acme/1042"), ("model:sim-4.1", "model-sim-4.1/acme/1042")],
)
def test_an_id_is_of_a_pattern_and_a_tenant(pattern: str, id: str) -> None:
    assert run_id(Request(pattern=pattern, prompt="Hi", id="1042"), "acme") == id


async def test_a_request_with_an_id_that_has_failed_is_done_again(door: Door, simulator: Control) -> None:
    await simulator.behave("sim-mini", status=400)
    request = Request(pattern=Call(model="mini", retry=Retry(attempts=1)), prompt="Hello", id=str(uuid4()))
    failed = await door.submit(request, ACME)
    assert isinstance(await failed.result(), Failure)
    await simulator.delete("/_sim/models")
    again = await door.submit(request, ACME)
    assert again.id == failed.id
    assert (await answer(again)).run_id != failed.run_id


@pytest.mark.parametrize(("key", "weight"), [(None, 2.0), (KeyTerms(id="a"), 2.0), (KeyTerms(id="a", weight=5.0), 5.0)])
async def test_a_run_has_the_weight_of_its_key_or_of_its_tenants_line(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: KeyTerms | None, weight: float
) -> None:
    file = tmp_path / "tenants.toml"
    file.write_text("[tenants.double]\nweight = 2.0\n", encoding="utf-8")
    monkeypatch.setenv("CONTINUO_TENANTS", str(file))
    run = await Door(client, Library()).submit(
        Request(pattern=Template(text="Hello"), prompt="Hi"), Context(tenant="double", key=key)
    )
    priority = (await run.handle.describe()).raw_description.workflow_execution_info.priority
    assert (priority.fairness_key, priority.fairness_weight) == ("double", weight)


async def test_a_run_tells_how_far_it_is_and_ends_when_it_is_cancelled(door: Door, simulator: Control) -> None:
    await simulator.behave("sim-mini", latency=30)
    run = await door.submit(Request(pattern=Fallback(steps=(Call(model="mini"),)), prompt="Hello"), ACME)

    async def calls() -> bool:
        return any(step.status == "running" and step.kind == "call" for step in (await run.progress()).steps)

    await until(calls)
    await run.cancel()
    failure = await run.result()
    assert isinstance(failure, Failure)
    assert failure.type == "Cancelled"


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request(pattern="suport", prompt="Hi"), "unknown pattern 'suport'; did you mean 'support'?"),
        (Request(pattern="", prompt="Hi"), "unknown pattern ''"),
        (Request(pattern="gone.yaml", prompt="Hi"), "cannot read gone.yaml"),
        (Request(pattern="model:premum", prompt="Hi"), "unknown model 'premum'; did you mean 'premium'?"),
        (Request(pattern=Call(model="premum"), prompt="Hi"), "unknown model 'premum'; did you mean 'premium'?"),
        (Request(pattern="answer", prompt=" "), "the prompt is empty"),
        (Request(pattern="answer", prompt="x" * (MAX_INPUT_BYTES + 1)), "the prompt has 1,000,001 bytes"),
        (
            Request(pattern="describe", media=(part(png()),), prompt="x" * (MAX_INPUT_BYTES + 1)),
            "the prompt has 1,000,001 bytes",
        ),
        (Request(pattern="answer", messages=(Message(role="assistant", content="x"),)), "the prompt is empty"),
        (
            Request(pattern="answer", messages=tuple(Message(role="user", content="x" * 500_000) for _ in range(5))),
            "have together 2,5",
        ),
        (Request(pattern="order", prompt="Hi"), "pattern 'order' acts on data"),
        (Request(pattern="answer", prompt="\ud800"), "half a character"),
        (Request(pattern="answer", prompt="Hi", system="\ud800"), "half a character"),
        (Request(pattern="answer", data={"name": "\ud800"}), "half a character"),
    ],
)
async def test_what_cannot_run_is_told_before_anything_starts(
    door: Door, request_: Request, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        raise AssertionError("it was started")

    monkeypatch.setattr("continuo.door.submit.start", never)
    with pytest.raises(InputError) as raised:
        await door.submit(request_, ACME)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "give a prompt, messages or data"),
        ({"prompt": "Hi", "messages": (Message(role="user", content="Hi"),)}, "give either a prompt or messages"),
        (
            {"media": (part(png()),), "messages": (Message(role="user", content="Hi"),)},
            "media as parts of the messages",
        ),
        ({"prompt": "Hi", "name": "mine"}, "'answer' has a name; leave out the other one, 'mine'"),
        ({"prompt": "Hi", "id": "two\nlines"}, "is no name"),
        ({"prompt": "Hi", "data": {"price": float("nan")}}, "finite"),
    ],
)
def test_a_request_without_sense_is_none(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Request.model_validate({"pattern": "answer", **fields})


def test_a_stage_is_passed_by_every_request_and_by_a_retry_with_another_pattern(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(library: Library, job: Job) -> Job:
        raise InputError("not that")

    job = accepted(door.library, Request(pattern="answer", prompt="Hi"), ACME)
    monkeypatch.setattr(stages, "STAGES", (*stages.STAGES, refusing))
    with pytest.raises(InputError, match="not that"):
        accepted(door.library, Request(pattern="answer", prompt="Hi"), ACME)
    with pytest.raises(InputError, match="not that"):
        again(door.library, job, "support")


def test_a_retry_with_another_pattern_is_refused_when_the_job_is_too_large_for_that(
    client: Client, worker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "x" * 990_000
    (tmp_path / "long.yaml").write_text(
        f"description: x\npattern: {{kind: template, text: {text}}}\n", encoding="utf-8"
    )
    monkeypatch.setenv("CONTINUO_PATTERNS", str(tmp_path))
    library = Library()
    job = accepted(library, Request(pattern=Template(text="x"), prompt=text, data={"more": text[:500_000]}), ACME)
    with pytest.raises(InputError, match="more than 2,000,000; shorten them"):
        again(library, job, "long")
