"""The user's own functions as steps, on the real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from continuo.activities.functions import MAX_RESULT, FunctionCalls
from continuo.activities.revealing import Revealing
from continuo.authoring.functions import Functions
from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.door.request import Request
from continuo.door.runs import Handle, result
from continuo.door.stages import accepted
from continuo.errors import InputError
from continuo.jobs import Context, Failure
from continuo.patterns import (
    Cascade,
    Fallback,
    Pipeline,
    PipelineStep,
    Python,
    Retry,
    Route,
    Saga,
    SagaStep,
    Step,
    Template,
)
from continuo.patterns.choices import Intent
from continuo.protection.masking import Masker
from continuo.stores.opened import open_store
from continuo.testing.processes import begin, failure, job, outcome, until, until_cancelled
from tests.support.commands import continuo
from tests.support.own_code import EVENTS, RELEASED

running = pytest.mark.usefixtures("worker", "simulator")
QUICK = Retry(attempts=3, initial=0.01)


@pytest.fixture(autouse=True)
def blocked() -> Iterator[None]:
    RELEASED.clear()
    yield
    RELEASED.set()


def calls(function: str, /, timeout: float = 60.0, **input: str) -> Python:
    return Python(function=f"tests.support.own_code:{function}", input=input, timeout=timeout, retry=QUICK)


def since(name: str) -> list[str]:
    return [event.removeprefix(name).strip() for event in EVENTS if event.startswith(name)]


async def has(name: str, *events: str) -> None:
    async def happened() -> bool:
        return since(name) == [*events]

    await until(happened)


@running
async def test_a_function_takes_the_data_that_it_names_as_its_model(client: Client) -> None:
    found = await outcome(client, job(calls("refund"), order_id="7", lines=[{"sku": "mug", "quantity": 2}], more=1))
    assert json.loads(found.text) == {"order_id": "7", "units": 2, "day": "2026-11-26"}
    assert (found.served_by, found.calls, found.cost_usd) == ("function", (), None)
    assert [point.name for point in found.checkpoints] == ["python: tests.support.own_code:refund returned"]


@running
async def test_its_parameters_are_mapped_by_templates_and_a_text_is_the_answer_as_it_is(client: Client) -> None:
    step = calls("total", price="{price}", quantity="{count}", currency="{unit}s")
    assert (await outcome(client, job(step, price="1.10", count=3, unit="crown"))).text == "3.30 crowns"
    assert (await outcome(client, job(calls("total"), price=2, quantity=2))).text == "4 EUR"


@running
async def test_in_a_pipeline_it_is_given_what_the_step_before_it_answered(client: Client) -> None:
    steps = (
        PipelineStep(name="first", step=Template(text="a mug")),
        PipelineStep(name="loud", prompt="{previous} of {input}", step=calls("shout", text="<{input}>")),
    )
    assert (await outcome(client, job(Pipeline(steps=steps), "tea"))).text == "<A MUG OF TEA>"


@running
async def test_it_is_the_classifier_of_a_route_and_a_tier_of_a_cascade_says_how_sure_it_is(client: Client) -> None:
    branches = {"order": Template(text="On its way."), "other": Template(text="What?")}
    route = Route(by=Intent(step=calls("branch")), branches=branches, default="other")
    assert [(await outcome(client, job(route, text))).branch for text in ("My order?", "Hello")] == ["order", "other"]
    cascade = Cascade(steps=(calls("sure"), Template(text="No idea.")))
    found = await outcome(client, job(cascade, "sure?"))
    assert (found.tier, found.confidence, json.loads(found.text)["answer"]) == (1, 0.9, 42)
    assert (await outcome(client, job(cascade, "well?"))).tier == 2


@running
async def test_it_judges_the_answers_of_a_cascade(client: Client) -> None:
    tiers = (calls("shout", text="well"), calls("shout", text="{input}"), Template(text="No idea."))
    step = Cascade(steps=tiers, thresholds=(0.8,), judge=calls("judge"))
    assert accepted(Library(), Request(pattern=step, prompt="ABC"), Context()).step == step
    found = await outcome(client, job(step, "ABC"))
    assert (found.text, found.tier, found.confidence) == ("ABC", 2, 0.9)
    assert found.reasons == ("tier 1: confidence 0.10 is under 0.80",)


@running
@pytest.mark.parametrize("verdict", [Template(text="0.3"), Template(text="good"), calls("judge", question="{x}")])
async def test_a_judge_that_fails_or_says_nothing_counts_as_unsure(client: Client, verdict: Step) -> None:
    found = await outcome(client, job(Cascade(steps=(Template(text="Yes."), Template(text="No.")), judge=verdict)))
    assert (found.text, found.tier) == ("No.", 2)


@running
@pytest.mark.parametrize(("error", "attempts"), [("ValueError", 1), ("SystemExit", 1), ("OSError", 3), ("Busy", 3)])
async def test_an_exception_is_a_failure_that_names_it_and_is_tried_again_only_where_that_may_help(
    client: Client, error: str, attempts: int
) -> None:
    event = str(uuid4())
    found = await failure(client, job(calls("fail", event=event, error=error)))
    assert found.type == "function_failed"
    kind = "OperationalError" if error == "Busy" else error
    assert found.message == f"tests.support.own_code:fail raised {kind}: no {event} at all"
    assert since(event) == [""] * attempts


@running
@pytest.mark.parametrize("function", ["hang", "block"])
async def test_it_has_the_time_of_its_step(client: Client, function: str) -> None:
    step = calls(function, timeout=0.2, event=str(uuid4())).model_copy(update={"retry": Retry(attempts=1)})
    found = await outcome(client, job(Fallback(steps=(step, Template(text="Later.")))))
    assert (found.text, found.tier) == ("Later.", 2)
    assert found.reasons == (f"tier 1: timeout: tests.support.own_code:{function}: no result within 0.2 s",)


@running
async def test_a_cancellation_reaches_an_async_function(client: Client) -> None:
    event = str(uuid4())
    handle = await begin(client, job(calls("hang", event=event)))
    await has(event, "begun")
    await until_cancelled(handle)
    assert since(event) == ["begun", "cancelled"]


@running
async def test_a_function_in_a_thread_beats_and_its_undo_waits_for_its_end(client: Client) -> None:
    event = str(uuid4())
    saga = Saga(
        steps=(SagaStep(name="a", do=calls("block", event=event), undo=calls("note", event=f"{event} undone")),)
    )
    handle = await begin(client, job(saga))
    await has(event, "begun")

    async def beats() -> bool:
        found = await handle.describe()
        return any(one.HasField("last_heartbeat_time") for one in found.raw_description.pending_activities)

    await until(beats)
    await handle.cancel()
    await until(lambda: _cancel_requested(handle))
    assert since(event) == ["begun"]
    RELEASED.set()
    found = await result(handle)
    assert isinstance(found, Failure)
    assert found.type == "Cancelled"
    assert since(event) == ["begun", "done", "undone"]


async def _cancel_requested(handle: Handle) -> bool:
    found = await handle.describe()
    return any(one.state == 3 for one in found.raw_description.pending_activities)


@running
async def test_a_saga_of_functions_undoes_in_reverse_with_the_identity_of_the_saga(client: Client) -> None:
    event = str(uuid4())

    def step(name: str, do: Python) -> SagaStep:
        return SagaStep(name=name, do=do, undo=calls("note", event=f"{event} {name} undone {{saga}}"))

    steps = (
        step("charge", calls("note", event=f"{event} charge done {{saga}}")),
        step("restock", calls("fail", event=f"{event} restock failed", error="ValueError")),
    )
    found = await failure(client, job(Saga(steps=steps)))
    assert found.type == "SagaFailed"
    assert "raised ValueError" in found.message
    done, failed, *undone = since(event)
    saga = done.split()[-1]
    assert failed == "restock failed"
    assert undone == [f"restock undone {saga}", f"charge undone {saga}"]


@running
@pytest.mark.parametrize(
    ("step", "says"),
    [
        (calls("no_json"), "the result of tests.support.own_code:no_json is no JSON: Unable to serialize"),
        (calls("many", count=str(MAX_RESULT)), "has 2,000,001 bytes, more than 1,000,000; return less"),
    ],
)
async def test_a_result_is_json_of_bounded_size(client: Client, step: Python, says: str) -> None:
    found = await failure(client, job(step))
    assert found.type == "invalid_response"
    assert says in found.message


@running
async def test_a_number_that_json_does_not_have_is_null(client: Client) -> None:
    assert (await outcome(client, job(calls("endless")))).text == "[1.5,null]"


@running
async def test_a_text_that_becomes_no_number_fails_once_and_says_which_field(client: Client) -> None:
    found = await failure(client, job(calls("many", count="{input}"), "lots"))
    assert found.type == "invalid_request"
    assert found.message.startswith("function 'tests.support.own_code:many': count: Input should be a valid integer")


async def test_what_an_exception_says_is_masked(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    database = open_store(settings, {})
    revealing = Revealing(Library(settings, {}), database)
    own = FunctionCalls(Functions(["tests.support.own_code"]), Masker(["sk-very-secret"]), revealing)
    step = calls("fail", event="sk-very-secret", error="ValueError")
    with pytest.raises(ApplicationError, match=r"raised ValueError: no \*\*\*") as raised:
        await ActivityEnvironment().run(own.python, job(step))
    assert "sk-very" not in str(raised.value.details)
    await database.aclose()


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("os:system", {}, "function 'os:system' is of no module that patterns may call (named are tests.support.own_code)"),
    ("system", {}, "unknown function of 'tests.support.own_code': 'system'"),
    ("shuot", {}, "'shuot'; did you mean 'shout'?"),
    ("Refund", {}, "'Refund'; did you mean 'refund'?"),
    (
        "tests.support.own_code.more:f",
        {},
        "module 'tests.support.own_code.more' cannot be imported: ModuleNotFoundError",
    ),
    ("untyped", {}, "parameter 'text' has no type; write one, as in `x: str`"),
    ("positional", {}, "parameter *texts: str has no name to be given by"),
    ("unreadable", {}, "parameter 'lock' has a type that pydantic cannot read from JSON"),
    ("shout", {}, "its field 'text' is missing; add it to the data, or to the step's `input`"),
    ("shout", {"txt": "a"}, "input: unknown field 'txt'; did you mean 'text'?"),
    (
        "tests.support.own_code:shout",
        {"text": "{name}"},
        "'text' needs {name}, and the job has no such field in its data",
    ),
    ("many", {"count": "few"}, "count: Input should be a valid integer"),
    ("strict", {"number": "1"}, "input: unknown field 'number'; known: no"),
    (
        "tests.support.own_code:total",
        {"price": "{input}", "quantity": "x"},
        "quantity: Input should be a valid integer",
    ),
    ("refund", {"order_id": "7"}, "its field 'lines' is missing"),
]


@pytest.mark.parametrize(("function", "input", "says"), MISTAKES)
def test_what_cannot_be_called_is_one_line_before_anything_runs(
    environ: pytest.MonkeyPatch, function: str, input: dict[str, str], says: str
) -> None:
    name = function if ":" in function else f"tests.support.own_code:{function}"
    step = Fallback(steps=(Template(text="Never."), Python(function=name, input=input)))
    with pytest.raises(InputError) as raised:
        accepted(Library(), Request(pattern=step, prompt="Hello"), Context())
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_known_only_when_the_step_runs_is_checked_then(environ: pytest.MonkeyPatch) -> None:
    step = calls("total", price="{input}", quantity="{count}")
    assert accepted(Library(), Request(pattern=step, prompt="no number", data={"count": 2}), Context()).step == step


async def test_a_pattern_file_that_names_the_standard_library_is_refused_by_the_command(
    environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("description: d\npattern:\n  kind: python\n  function: os:system\n  input: {command: ls}\n")
    found = await continuo("run", str(path), "Hello")
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert "function 'os:system' is of no module that patterns may call" in found.err


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("os", "CONTINUO_CODE=os: 'os' belongs to Python itself; name a module of your own"),
        ("my-shop", "'my-shop' is no module; write one as it is imported, such as 'shop.refunds'"),
    ],
)
def test_a_setting_names_modules_of_ones_own(environ: pytest.MonkeyPatch, value: str, says: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTINUO_CODE", value)
        with pytest.raises(InputError) as raised:
            Settings()
    assert says in str(raised.value)
