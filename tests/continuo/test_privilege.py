"""What an agent may do by itself after what it has read, without a server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from continuo.decisions.privilege import after, as_data, asks_person
from continuo.jobs import Context, Job, Read
from continuo.messages import Message, ModelRequest
from continuo.patterns import Agent, AgentServer, AgentTool, Fallback, Http, Mcp, Python, Step, Template

SAY = Template(text="Yes.")
FETCH = Mcp(server="web", tool="fetch")
LABELS = st.lists(st.sampled_from(["reads_secrets", "writes_outside", "spends"]), unique=True).map(tuple)
TOOLS = st.builds(AgentTool, step=st.sampled_from([SAY, FETCH]), labels=LABELS, untrusted=st.none() | st.booleans())
READ = st.builds(Read, outside=st.booleans(), secrets=st.booleans())


def tool(step: Step = SAY, **fields: Any) -> AgentTool:
    return AgentTool(step=step, **fields)


@given(tool=TOOLS, read=READ)
def test_nobody_is_asked_before_anything_from_outside_is_read(tool: AgentTool, read: Read) -> None:
    assert not asks_person(tool, read.model_copy(update={"outside": False}))


@given(tool=TOOLS, read=READ, more=st.lists(TOOLS))
def test_what_is_read_besides_never_takes_a_person_away(tool: AgentTool, read: Read, more: list[AgentTool]) -> None:
    assert asks_person(tool, after(read, more)) >= asks_person(tool, read)


@given(tools=st.lists(TOOLS), read=READ, data=st.data())
def test_the_order_of_what_was_read_does_not_matter(tools: list[AgentTool], read: Read, data: st.DataObject) -> None:
    assert after(read, data.draw(st.permutations(tools))) == after(read, tools)


@given(tools=st.lists(TOOLS, max_size=4), last=TOOLS)
def test_no_secret_goes_outside_and_nothing_is_spent_by_itself_after_data_from_outside(
    tools: list[AgentTool], last: AgentTool
) -> None:
    outside = any(one.untrusted if one.untrusted is not None else one.step == FETCH for one in tools)
    secrets = any("reads_secrets" in one.labels for one in (*tools, last))
    dangerous = "spends" in last.labels or ("writes_outside" in last.labels and secrets)
    assert asks_person(last, after(Read(), tools)) == (outside and dangerous)


@pytest.mark.parametrize(
    ("step", "outside"),
    [
        (SAY, False),
        (Python(function="mine:look"), False),
        (FETCH, True),
        (Http(service="shop", path="/"), True),
        (Fallback(steps=(SAY, FETCH)), True),
        (Agent.model_validate({"model": "mini", "tools": {"say": tool()}}), False),
        (Agent.model_validate({"model": "mini", "tools": {"fetch": tool(FETCH)}}), True),
        (Agent.model_validate({"model": "mini", "servers": {"web": AgentServer()}}), True),
        (Agent.model_validate({"model": "mini", "servers": {"web": AgentServer(untrusted=False)}}), False),
    ],
)
def test_what_a_service_or_a_server_answers_is_from_outside_wherever_it_stands(step: Step, outside: bool) -> None:
    assert tool(step).from_outside == outside
    assert not tool(step, untrusted=False).from_outside
    assert tool(step, untrusted=True).from_outside


def test_an_agent_tells_the_secrets_that_its_own_tools_read() -> None:
    inner = Agent.model_validate({"model": "mini", "tools": {"read": tool(labels=("reads_secrets",))}})
    served = Agent.model_validate({"model": "mini", "servers": {"crm": {"labels": {"find": ["reads_secrets"]}}}})
    assert tool(inner).tells_secrets
    assert tool(served).tells_secrets
    assert not tool().tells_secrets


def test_a_label_is_one_of_three_and_of_a_tool_that_is_used() -> None:
    with pytest.raises(ValidationError, match="'reads_secrets', 'writes_outside' or 'spends'"):
        AgentTool.model_validate({"step": SAY, "labels": ["spend"]})
    with pytest.raises(ValidationError, match="labels names 'pay', which is none of its tools"):
        AgentServer.model_validate({"tools": ["find"], "labels": {"pay": ["spends"]}})


@given(st.text())
def test_marked_data_cannot_hold_the_end_of_its_marks(text: str) -> None:
    end = as_data(text).rpartition("\n")[2]
    assert end not in text
    assert as_data(as_data(text)) != as_data(text)


def test_a_job_is_written_as_before_where_nothing_was_read() -> None:
    request = ModelRequest(messages=(Message(role="user", content="?"),))
    job = Job(step=tool(labels=("spends",)).step, context=Context(), request=request)
    assert "read" not in job.model_dump()
    told = job.model_copy(update={"read": Read(outside=True)})
    assert told.model_dump()["read"] == {"outside": True}
    assert Job.model_validate_json(told.model_dump_json()) == told
