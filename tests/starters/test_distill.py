"""`continuo distill` on the real server: what becomes an example, what is left out and why, and what is replaced."""

import asyncio
import json
import re
import shlex
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from continuo.door.collecting import row_of
from continuo.door.past_runs import past
from continuo.door.runs import Handle, result, start
from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.messages import ModelRequest
from continuo.parameters import Tool
from continuo.patterns import Agent, AgentTool, Call, Fallback, Retry, Step, Template
from continuo.starters.app import app
from continuo.starters.commands.distill import distill
from continuo.temporal.connect import connect
from continuo.temporal.payloads import THRESHOLD
from continuo.testing.processes import Control, job, until
from tests.support.repository import ROOT

pytestmark = pytest.mark.usefixtures("worker")

MID = Call(model="mid", system="Be brief.", retry=Retry(attempts=1))
FALLS = Fallback(steps=(Call(model="premium", retry=Retry(attempts=1)), Template(text="Sorry.")))


@pytest.fixture
def tenant() -> str:
    """One of its own, of whose runs alone examples are made."""
    return f"t-{uuid4()}"


async def ran(client: Client, tenant: str, step: Step, prompt: str, **request: Any) -> Handle:
    """A run that has ended and is listed as that."""
    asked = job(step, prompt)
    context = asked.context.model_copy(update={"tenant": tenant})
    changed = ModelRequest.model_validate({**dict(asked.request), **request})
    handle = await start(client, asked.model_copy(update={"context": context, "request": changed}), id=f"run-{uuid4()}")
    await result(handle)

    async def listed() -> bool:
        query = f"WorkflowId = '{handle.id}' AND ExecutionStatus != 'Running'"
        return (await client.count_workflows(query)).count == 1

    await until(listed)
    return handle


def lines(folder: Path) -> list[dict[str, Any]]:
    parts = [(folder / f"{part}.jsonl").read_text("utf-8").splitlines() for part in ("train", "validation")]
    return [json.loads(line) for part in parts for line in part]


async def test_answers_become_examples_once_without_personal_data_and_the_card_says_what_was_left_out(
    client: Client, simulator: Control, tenant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await simulator.behave("sim-mid", text="Write to bob@corp.test.")
    await simulator.behave("sim-premium", status=400)
    await asyncio.gather(
        ran(client, tenant, MID, "Who helps eve@evil.test?"),
        ran(client, tenant, MID, "who  helps eve@evil.test?"),
        ran(client, tenant, MID, "And with a tool?", tools=(Tool(name="look"),)),
        ran(client, tenant, FALLS, "What else?"),
        ran(client, tenant, FALLS.steps[0], "What fails?"),
    )
    folder = tmp_path / "set"
    assert await distill(folder, tenant=tenant, form="chat") == 0
    [example] = lines(folder)
    assert [one["role"] for one in example["messages"]] == ["system", "user", "assistant"]
    said = json.dumps(example)
    assert "@" not in said
    assert said.count("<EMAIL_") == 2
    card = (folder / "README.md").read_text("utf-8")
    for row in (
        f"| tenant | `{tenant}` |",
        "| runs that were looked at | 4 |",
        "| `sim-mid` of `sim-openai` | 1 |",
        "| a duplicate | 1 |",
        "| has no place in the form chat | 1 |",
        "| answered by a template | 1 |",
        "1 answers are simulated",
    ):
        assert row in card
    assert "3 runs were left out" in capsys.readouterr().out.replace("\n", " ")

    # Those with tools have a place in another form.
    assert await distill(tmp_path / "openai", tenant=tenant, model="sim-mid", validation=0) == 0
    assert sorted(len(example.get("tools", ())) for example in lines(tmp_path / "openai")) == [0, 1]
    assert not (tmp_path / "openai" / "validation.jsonl").read_text("utf-8")
    assert await distill(tmp_path / "none", tenant=tenant, model="sim-mini") == 0
    assert lines(tmp_path / "none") == []
    assert "there are no examples" in capsys.readouterr().err


async def test_an_agent_is_an_example_with_what_its_tools_answered(
    client: Client, simulator: Control, tenant: str, tmp_path: Path
) -> None:
    call = {"name": "look", "arguments": {"input": "outside"}}
    await simulator.behave("sim-mid", script=[{"calls": [call]}, {"text": "It rains."}])
    look = AgentTool(description="Looks.", step=Template(text="Rain."))
    await ran(client, tenant, Agent(model=MID, system="Look first.", tools={"look": look}), "Is it dry?")
    assert await distill(tmp_path / "set", tenant=tenant) == 0
    [example] = lines(tmp_path / "set")
    said = [(one["role"], one["content"]) for one in example["messages"]]
    assert said == [
        ("system", "Look first."),
        ("user", "Is it dry?"),
        ("assistant", ""),
        ("tool", "Rain."),
        ("assistant", "It rains."),
    ]
    assert [tool["function"]["name"] for tool in example["tools"]] == ["look"]


async def test_what_is_kept_no_more_cannot_be_read(
    client: Client, simulator: Control, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its answer is large, and kept beside the history.
    await simulator.behave("sim-mid", text="x" * THRESHOLD)
    handle = await ran(client, tenant, MID, "Long?")
    row = await row_of(client, await handle.describe())
    assert row is not None
    read = await past(client, row)
    assert read is not None
    began, end = read
    assert isinstance(end, Outcome)
    assert (began.request.prompt, end.text) == ("Long?", "x" * THRESHOLD)
    assert await past(client, row.model_copy(update={"run_id": str(uuid4())})) is None
    # As if the store had dropped it: another one has none of it.
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path / "other"))
    assert await past(await connect(), row) is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"since": "yesterday"}, "since: 'yesterday' is neither a duration nor a day"),
        ({"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"near": 0.4}, "near: Input should be greater than or equal to 0.5"),
        ({"validation": 0.9}, "validation: Input should be less than or equal to 0.5"),
        ({}, "is there; name a new one"),
    ],
)
async def test_wrong_input_is_named(options: dict[str, Any], says: str, client: Client, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        await distill(tmp_path, **options)
    assert not [*tmp_path.iterdir()]


async def test_nothing_is_left_of_a_set_that_could_not_be_made(
    client: Client, simulator: Control, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ran(client, tenant, MID, "Who?")

    def lost(*_: object) -> None:
        raise RuntimeError("lost")

    monkeypatch.setattr("continuo.starters.commands.distill.line", lost)
    with pytest.raises(RuntimeError, match="lost"):
        await distill(tmp_path / "new" / "set", tenant=tenant)
    assert not [*tmp_path.iterdir()]


async def test_what_is_nearly_a_duplicate_is_left_out_and_counted(
    client: Client, simulator: Control, tenant: str, tmp_path: Path
) -> None:
    await simulator.behave("sim-mid", text="Yes.")
    story = " ".join(f"Chapter {number} tells of it." for number in range(40))
    await asyncio.gather(*(ran(client, tenant, MID, f"{story} {end}") for end in ("Is it so?", "Is it?")))
    assert await distill(tmp_path / "new" / "set", tenant=tenant) == 0
    assert len(lines(tmp_path / "new" / "set")) == 1
    assert "| nearly a duplicate | 1 |" in (tmp_path / "new" / "set" / "README.md").read_text("utf-8")
    assert await distill(tmp_path / "all", tenant=tenant, near=1) == 0
    assert len(lines(tmp_path / "all")) == 2


def test_the_example_of_the_page_is_a_command() -> None:
    page = (ROOT / "docs" / "distill.md").read_text("utf-8")
    [command] = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    called, arguments, _ = app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)
    assert called is distill
    assert arguments.arguments["since"] == "30d"
