"""Agents on the real server, whose model is the simulated provider's by a script."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.client import Client, WorkflowExecutionStatus

from continuo.authoring.library import Library
from continuo.config.settings import Settings
from continuo.decisions.json_schema import mistake_in
from continuo.door import Door, Request, Run
from continuo.door.agents import transcript
from continuo.door.runs import Handle, result
from continuo.door.stages import accepted
from continuo.errors import InputError
from continuo.jobs import WANTED, Context, Failure, Job, Outcome
from continuo.parameters import Parameters, Tool
from continuo.patterns import (
    Agent,
    AgentServer,
    AgentTool,
    Call,
    Compaction,
    Fallback,
    Http,
    Python,
    Retry,
    Step,
    Template,
)
from continuo.testing.processes import Control, begin, failure, outcome, replay, until
from tests.support.own_code import EVENTS
from tests.workflows.test_review import decide, opened, refused

pytestmark = pytest.mark.usefixtures("worker", "simulator")

ONCE = Retry(attempts=1)


def own(function: str, /, **fields: Any) -> AgentTool:
    return AgentTool(step=Python(function=f"tests.support.own_code:{function}", retry=ONCE), **fields)


def agent(**fields: Any) -> Agent:
    """An agent of the simulated model, with two tools of the user's own."""
    tools = {"weather": own("weather"), "book": own("book")}
    return Agent(**{"model": Call(model="mid", retry=ONCE), "tools": tools, **fields})


def asked_to(step: Step, prompt: str = "Book the dry one.", **context: Any) -> Job:
    """A job as the door makes it, which knows what the tools take."""
    request = Request(pattern=step, name="agent", prompt=prompt)
    return accepted(Library(), request, Context(tenant="acme", **context))


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def turn(*calls: dict[str, Any], text: str = "") -> dict[str, Any]:
    return {"text": text, "calls": list(calls)}


async def seen(simulator: Control) -> list[dict[str, Any]]:
    """The messages of the last request that the model got."""
    messages: list[dict[str, Any]] = (await simulator.calls("sim-mid"))[-1]["body"]["messages"]
    return messages


def results(messages: list[dict[str, Any]]) -> list[str]:
    """Without the marks of what comes from outside."""
    told = [message["content"] for message in messages if message["role"] == "tool"]
    return [re.sub(r"^\[data (\w+) from .*\]\n((?s:.*))\n\[end of data \1\]$", r"\2", one) for one in told]


def reviewing(client: Client, id: str) -> Handle:
    return client.get_workflow_handle(id, result_type=Outcome)


@pytest.fixture(autouse=True)
def _no_events() -> None:
    EVENTS.clear()


async def test_it_runs_the_tools_that_its_model_calls_until_it_answers(client: Client, simulator: Control) -> None:
    script = [
        turn(call("weather", city="Bern"), call("weather", city="Oslo", days=2), text="Let me look."),
        turn(call("book", room="7")),
        turn(text="Room 7 is yours."),
    ]
    await simulator.behave("sim-mid", script=script)
    handle = await begin(client, asked_to(agent(system="Be brief.")))
    found = await handle.result()
    assert (found.text, found.partial, found.finish_reason, len(found.calls)) == ("Room 7 is yours.", False, "stop", 3)
    assert sorted(EVENTS)[1:] == ["weather Bern 1", "weather Oslo 2"]
    first, second, third = await simulator.calls("sim-mid")
    tools = [tool["function"] for tool in first["body"]["tools"]]
    assert [tool["name"] for tool in tools] == ["weather", "book"]
    assert tools[0]["description"] == "The weather of a city, for some days."
    assert [*tools[1]["parameters"]["properties"]] == ["room"]
    assert [message["role"] for message in second["body"]["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
    ]
    assert results(third["body"]["messages"]) == ["1 days of rain in Bern", "2 days of rain in Oslo", "7 is booked"]
    await replay(client, handle.id)


async def test_what_is_wrong_goes_back_to_the_model(client: Client, simulator: Control) -> None:
    script = [
        turn(call("weather", town="Bern"), call("wether", city="Bern"), call("fail", event="it", error="OSError")),
        turn(text="I give up."),
    ]
    await simulator.behave("sim-mid", script=script)
    tools = {"weather": own("weather"), "fail": own("fail")}
    assert (await outcome(client, asked_to(agent(tools=tools)))).text == "I give up."
    wrong, unknown, failed = results(await seen(simulator))
    assert wrong.startswith("Error: the arguments are wrong: ")
    assert "'city' is a required property" in wrong or "'town' was unexpected" in wrong
    assert unknown == "Error: unknown tool 'wether'; did you mean 'weather'?"
    assert failed.startswith("Error: function_failed: tests.support.own_code:fail raised OSError: no it")
    assert EVENTS == ["it"]


@pytest.mark.parametrize("written", ["", "{", "[1]", '{"city": NaN}', '{"city": 7}'])
def test_arguments_that_are_no_json_or_of_another_type_are_told(
    written: str,
) -> None:
    schema: dict[str, JsonValue] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert mistake_in(written or "{}", schema)


@pytest.mark.parametrize(
    ("limits", "reason", "turns", "events"),
    [
        ({"turns": 2}, "the limit of 2 turns is reached", 2, 2),
        ({"calls": 1}, "the limit of 1 calls of tools is reached", 2, 1),
        ({"cost_usd": 1e-9}, "the limit of $1e-09 is reached", 1, 0),
        ({"seconds": 0.001}, "the limit of 0.001 s is reached", 0, 0),
    ],
)
async def test_a_limit_is_looked_at_before_each_call_and_its_outcome_is_partial(
    client: Client, simulator: Control, limits: dict[str, Any], reason: str, turns: int, events: int
) -> None:
    looks = [turn(call("weather", city=str(number)), text=f"Look {number}.") for number in range(5)]
    await simulator.behave("sim-mid", script=looks)
    found = await outcome(client, asked_to(agent(**limits)))
    assert (found.partial, found.finish_reason) == (True, "length")
    assert found.reasons[0].startswith(reason)
    assert found.text == (f"Look {turns - 1}." if turns else f"There is no answer: {reason}.")
    assert (len(await simulator.calls("sim-mid")), len(EVENTS)) == (turns, events)


async def test_a_tool_is_any_step_and_an_agent_is_one(client: Client, simulator: Control, shop: Control) -> None:
    inner = Agent(model=Call(model="mini", retry=ONCE), tools={"weather": own("weather")}, turns=3)
    order = {"type": "object", "properties": {"order_id": {"type": "string"}, "items": {"type": "array"}}}
    tools = {
        "expert": AgentTool(description="Knows the weather.", step=inner),
        "say": AgentTool(step=Template(text="So be it.")),
        "reserve": AgentTool(
            step=Http(service="inventory", path="/reservations/{order_id}", method="PUT", retry=ONCE), parameters=order
        ),
    }
    lines = [{"sku": "mug", "quantity": 1}]
    calls = [call("expert", input="Is it dry?"), call("say", input="?"), call("reserve", order_id="a-1", items=lines)]
    await simulator.behave("sim-mid", script=[turn(*calls), turn(text="Done.")])
    await simulator.behave("sim-mini", script=[turn(call("weather", city="Bern")), turn(text="It rains.")])
    found = await outcome(client, asked_to(agent(tools=tools)))
    assert found.text == "Done."
    expert, said, reserved = results(await seen(simulator))
    assert (expert, said) == ("It rains.", "So be it.")
    assert "a-1" in reserved
    assert [one.path for one in found.calls] == ["model", "expert.1.1.model", "expert.1.1.model", "model"]
    assert all("Is it dry?" in json.dumps(one["body"]) for one in await simulator.calls("sim-mini"))


async def test_a_final_answer_is_held_against_its_schema_and_sent_back(client: Client, simulator: Control) -> None:
    output = {"type": "object", "properties": {"room": {"type": "integer"}}, "required": ["room"]}
    script = [turn(call("book", room="7")), turn(text='{"room": "7"}'), turn(text='{"room": 7}')]
    await simulator.behave("sim-mid", script=script)
    found = await outcome(client, asked_to(agent(output=output)))
    assert json.loads(found.text) == {"room": 7}
    messages = await seen(simulator)
    assert "fits this schema" in messages[0]["content"]
    assert 'room: "7" is not of type "integer"' in messages[-1]["content"]
    end = await failure(client, asked_to(agent(output=output, repairs=0)))
    assert isinstance(end, Failure)
    assert (end.type, "is not of type" in end.message) == ("InvalidOutput", True)


async def test_without_tools_the_schema_is_the_models_own_to_keep(client: Client, simulator: Control) -> None:
    output = {"type": "object", "properties": {"room": {"type": "integer"}}, "required": ["room"]}
    found = await outcome(client, asked_to(agent(tools={}, output=output)))
    assert isinstance(found, Outcome)
    assert isinstance(json.loads(found.text)["room"], int)
    [one] = await simulator.calls("sim-mid")
    assert one["body"]["response_format"]["json_schema"]["schema"] == output


async def test_the_effect_of_a_tool_has_a_key_of_run_turn_and_position(client: Client, simulator: Control) -> None:
    script = [turn(call("book", room="1"), call("book", room="2")), turn(call("book", room="1")), turn(text="Done.")]
    await simulator.behave("sim-mid", script=script)
    await outcome(client, asked_to(agent()))
    keys = [event.split()[2] for event in EVENTS]
    assert sorted(key.partition("/")[2] for key in keys) == ["book.1.1", "book.1.2", "book.2.1"]
    assert len({key.partition("/")[0] for key in keys}) == 1


async def test_what_is_said_to_it_meanwhile_is_read_before_its_next_turn(client: Client, simulator: Control) -> None:
    await simulator.behave(
        "sim-mid", latency=0.4, script=[turn(call("weather", city="Bern")), turn(text="Rain."), turn(text="Oslo.")]
    )
    handle = await begin(client, asked_to(agent()))
    await handle.execute_update("say", "And in Oslo?")
    found = await handle.result()
    roles = [(message["role"], message["content"]) for message in await seen(simulator)]
    assert ("user", "And in Oslo?") in roles
    assert len(found.turns or "") == 64


async def test_a_long_one_continues_as_new_with_its_account_its_limits_and_its_transcript(
    client: Client, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.workflows.agent.MOST_EVENTS", 100)
    looks = [turn(call("book", room=str(number)), text=f"Look {number}.") for number in range(1, 13)]
    await simulator.behave("sim-mid", script=[*looks, turn(text="Done.")])
    handle = await begin(client, asked_to(agent(turns=12), deadline=60))
    found = await handle.result()
    assert (found.text, found.reasons, len(found.calls)) == ("Look 12.", ("the limit of 12 turns is reached",), 12)
    assert [event.partition("/")[2] for event in EVENTS] == [f"book.{number}.1" for number in range(1, 13)]
    assert len({event.split()[2].partition("/")[0] for event in EVENTS}) == 1
    assert len(await seen(simulator)) == 1 + 2 * 11
    begun = (await handle.describe()).start_time
    first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    one = await first.describe()
    assert one.status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    assert (found.latency_ms or 0) / 1000 > (begun - one.start_time).total_seconds() > 0
    told = await transcript(client, Settings(), handle.id)
    assert (told.turns, len(told.messages)) == (found.turns, 1 + 2 * 12)


async def test_a_conversation_is_gone_on_with_after_its_end_and_while_it_runs(
    client: Client, simulator: Control
) -> None:
    door, talk = Door(client, Library()), f"talk {uuid4()}"

    async def submit(prompt: str, tenant: str = "acme") -> Run:
        request = Request(pattern=agent(), name="agent", prompt=prompt)
        return await door.submit(request, Context(tenant=tenant, conversation=talk))

    await simulator.behave("sim-mid", text="Yes.")
    first = await submit("Is it dry?")
    assert isinstance(await first.result(), Outcome)
    await simulator.behave("sim-mid", text="Yes.", latency=0.4)
    second = await submit("And tomorrow?")
    third = await submit("And then?")
    assert first.id == second.id == third.id
    assert isinstance(await third.result(), Outcome)
    texts = [(message["role"], message["content"]) for message in await seen(simulator)]
    assert texts == [
        ("user", "Is it dry?"), ("assistant", "Yes."), ("user", "And tomorrow?"), ("assistant", "Yes."),
        ("user", "And then?"),
    ]  # fmt: skip
    await simulator.behave("sim-mid", text="Yes.")
    other = await submit("Mine?", "umbra")
    assert other.id != first.id
    await other.result()
    assert len(await seen(simulator)) == 1


def test_only_an_agent_has_a_conversation_and_an_id_is_none() -> None:
    def submitted(step: Step, **fields: Any) -> Job:
        request = Request(pattern=step, name="it", prompt="?", **fields)
        return accepted(Library(), request, Context(conversation="talk"))

    with pytest.raises(InputError, match="'it' is no agent, and has no conversation"):
        submitted(Template(text="Yes."))
    with pytest.raises(InputError, match="has tools of its own"):
        submitted(agent(), parameters=Parameters(tools=(Tool(name="mine"),)))
    with pytest.raises(InputError, match="leave one out"):
        submitted(agent(), id="1")


@pytest.mark.parametrize("summed_up", [False, True])
async def test_what_its_model_is_shown_is_kept_small_and_the_transcript_whole(
    client: Client, simulator: Control, summed_up: bool
) -> None:
    looks = [turn(call("weather", city="x" * 400)) for _ in range(9)]
    await simulator.behave("sim-mid", script=[*looks, turn(text="Done.")])
    await simulator.behave("sim-premium", text="It rains everywhere.")
    summary = Call(model="premium", retry=ONCE) if summed_up else None
    context = Compaction(tokens=400, keep=2, summary=summary)
    handle = await begin(client, asked_to(agent(context=context), "Is it dry anywhere?"))
    found = await handle.result()
    assert found.text == "Done."
    requests = [one["body"]["messages"] for one in await simulator.calls("sim-mid")]
    assert len(requests) == 10
    assert max(len(json.dumps(messages)) for messages in requests) < 6_000
    last = requests[-1]
    assert last[0] == {"role": "user", "content": "Is it dry anywhere?"}
    assert "earlier turns are left out here" in last[1]["content"]
    assert ("It rains everywhere." in last[1]["content"]) == summed_up
    # Calls and results stay pairs.
    assert [one["role"] for one in last[2:]] == ["assistant", "tool"] * (len(last[2:]) // 2)
    assert len((await transcript(client, Settings(), handle.id)).messages) == 1 + 2 * 9 + 1


def reserving(**fields: Any) -> AgentTool:
    order: dict[str, JsonValue] = {"type": "object", "properties": {"order_id": {"type": "string"}}}
    retry = Retry(attempts=2, initial=0.01)
    step = Http(service="inventory", path="/reservations/{order_id}", method="PUT", retry=retry)
    return AgentTool(step=step, parameters=order, **fields)


async def test_an_answer_that_is_lost_is_asked_for_again_by_the_same_key_where_that_is_safe(
    client: Client, simulator: Control, shop: Control
) -> None:
    wanted = call("reserve", order_id=str(uuid4()), items=[{"sku": "mug", "quantity": 1}])
    await simulator.behave("sim-mid", script=[turn(wanted), turn(text="Done.")])
    await shop.put("/_faults/inventory", method="PUT", count=1, status=503, after=True)
    assert (await outcome(client, asked_to(agent(tools={"reserve": reserving()})))).text == "Done."
    [result] = results(await seen(simulator))
    assert wanted["arguments"]["order_id"] in result


async def test_where_that_is_not_safe_a_person_says_what_became_of_it(
    client: Client, simulator: Control, shop: Control
) -> None:
    orders = [call("reserve", order_id=str(uuid4()), items=[{"sku": "mug", "quantity": 1}]) for _ in range(3)]
    await simulator.behave("sim-mid", script=[turn(*orders), turn(text="Done.")])
    await shop.put("/_faults/inventory", method="PUT", count=3, status=503, after=True)
    handle = await begin(client, asked_to(agent(tools={"reserve": reserving(idempotent=False)})))
    decisions: list[tuple[str, dict[str, str]]] = [
        ("approve", {}),
        ("reject", {}),
        ("respond", {"text": "It was done."}),
    ]
    for number, (decision, fields) in enumerate(decisions, 1):
        review = reviewing(client, f"{handle.id}.reserve.1.{number}.lost")
        case = await opened(review)
        assert "its answer was lost" in case.question
        assert json.loads(case.text) == orders[number - 1]["arguments"]
        await decide(review, case, decision, **fields)
    assert (await handle.result()).text == "Done."
    approved, rejected, responded = results(await seen(simulator))
    assert "units_total" in approved
    assert rejected.startswith("Error: answer_lost: inventory: 503")
    assert responded == "It was done."
    operations = (await shop.get("/operations"))["operations"]
    keys = [one["key"] for one in operations]
    assert [keys.count(order["arguments"]["order_id"]) for order in orders] == [2, 1, 1]


async def test_a_person_decides_on_each_call_while_those_beside_it_run(client: Client, simulator: Control) -> None:
    rooms = [call("book", room=str(number)) for number in range(1, 6)]
    await simulator.behave("sim-mid", script=[turn(*rooms, call("weather", city="Bern")), turn(text="Done.")])
    tools = {"weather": own("weather"), "book": own("book", needs_approval=True)}
    handle = await begin(client, asked_to(agent(tools=tools)))

    async def beside_them() -> bool:
        return EVENTS == ["weather Bern 1"]

    await until(beside_them)
    decisions: list[tuple[str, dict[str, str]]] = [
        ("approve", {}),
        ("edit", {"text": '{"room": "8"}'}),
        ("edit", {"text": '{"rom": "8"}'}),
        ("reject", {"note": "It is dear."}),
        ("respond", {"text": "Take the tent."}),
    ]
    for number, (decision, fields) in enumerate(decisions, 1):
        review = reviewing(client, f"{handle.id}.book.1.{number}.approval")
        case = await opened(review)
        assert (case.run, json.loads(case.text)) == (handle.id, {"room": str(number)})
        assert case.question == "May the tool book be called with these arguments?"
        other = case.model_copy(update={"text": '{"room": "9"}'})
        assert "look at it again" in await refused(review, other, decision, **fields)
        await decide(review, case, decision, **fields)
    assert (await handle.result()).text == "Done."
    approved, edited, wrong, rejected, responded, weather = results(await seen(simulator))
    assert [approved, edited, responded] == ["1 is booked", "8 is booked", "Take the tent."]
    assert wrong.startswith("Error: invalid_request: the reviewer has made the arguments wrong: ")
    assert rejected.startswith("Error: Rejected: a person decided: reject by ann")
    assert "It is dear." in rejected
    assert weather == "1 days of rain in Bern"
    assert sorted(event.split()[1] for event in EVENTS if event.startswith("book")) == ["1", "8"]
    await replay(client, handle.id)


async def test_a_person_sees_what_a_call_changes_of_the_one_that_was_proposed_before(
    client: Client, simulator: Control
) -> None:
    rooms = [call("book", room="1"), call("book", room="2"), call("book", room="3"), call("book", room="3")]
    await simulator.behave("sim-mid", script=[turn(*rooms[:2]), turn(rooms[2]), turn(rooms[3]), turn(text="Done.")])
    handle = await begin(client, asked_to(agent(tools={"book": own("book", needs_approval=True)})))
    seen_changes, before = [], None
    for place in ("1.1", "1.2", "2.1", "3.1"):
        review = reviewing(client, f"{handle.id}.book.{place}.approval")
        case = await opened(review)
        seen_changes.append(case.changes)
        if before is not None:
            # Whoever saw other arguments approves nothing.
            assert f"{case.shown} is shown now" in await refused(review, before, "approve")
        before = case
        await decide(review, case, "reject")
    await handle.result()
    assert seen_changes == [(), (), ('- room: "2"', '+ room: "3"'), ()]
    await replay(client, handle.id)


async def test_a_call_two_agents_below_is_decided_in_the_one_queue_and_waiting_takes_none_of_its_time(
    client: Client, simulator: Control
) -> None:
    book = own("book", needs_approval={"reviewers": ["ann"], "question": "A room?"})
    lowest = agent(model=Call(model="premium", retry=ONCE), tools={"book": book}, seconds=1.5)
    middle = agent(model=Call(model="mini", retry=ONCE), tools={"lowest": AgentTool(step=lowest)})
    await simulator.behave("sim-mid", script=[turn(call("middle", input="A room.")), turn(text="Done.")])
    await simulator.behave("sim-mini", script=[turn(call("lowest", input="A room.")), turn(text="Booked, it says.")])
    await simulator.behave("sim-premium", script=[turn(call("book", room="7")), turn(text="Booked.")])
    handle = await begin(client, asked_to(agent(tools={"middle": AgentTool(step=middle)})))
    review = reviewing(client, f"{handle.id}.middle.1.1.lowest.1.1.book.1.1.approval")
    case = await opened(review)
    assert (case.run, case.question, case.tenant) == (handle.id, "A room?", "acme")

    async def longer() -> bool:
        return (datetime.now(UTC) - case.opened).total_seconds() > 2

    await until(longer)
    assert "none of its reviewers" in await refused(review, case, "approve", by="bob")
    await decide(review, case, "approve")
    assert (await handle.result()).text == "Done."
    assert results(await seen(simulator)) == ["Booked, it says."]
    assert [event.split()[1] for event in EVENTS] == ["7"]


async def test_no_other_tier_answers_behind_what_a_streamed_agent_has_said(client: Client, simulator: Control) -> None:
    await simulator.behave("sim-mid", script=[turn(call("book", room="1"), text="I book it."), turn(text="Done.")])
    step = agent(tools={"book": own("book", needs_approval=True)})
    either = Fallback(steps=(step, Template(text="Nobody answers.")))
    handle = await begin(client, asked_to(either).model_copy(update={"stream": WANTED}))
    review = reviewing(client, f"{handle.id}.tier1.book.1.1.approval")
    case = await opened(review)
    await simulator.behave("sim-mid", status=400)
    await decide(review, case, "approve")
    end = await result(handle)
    assert isinstance(end, Failure)
    assert end.type == "stream_broken"
    assert "400" in end.message


async def test_the_tools_of_a_server_are_its_own_as_the_server_lists_them(client: Client, simulator: Control) -> None:
    servers = {"notes": AgentServer(tools=("add", "note"))}
    calls = [call("add", one=40, other=2), call("add", one="x"), call("notes_note", text="a sum")]
    await simulator.behave("sim-mid", script=[turn(*calls), turn(text="Done.")])
    handle = await begin(client, asked_to(agent(tools={"note": own("note")}, servers=servers)))
    assert (await handle.result()).text == "Done."
    offered = [tool["function"]["name"] for tool in (await simulator.calls("sim-mid"))[0]["body"]["tools"]]
    assert offered == ["note", "notes_note", "add"]
    total, wrong, noted = results(await seen(simulator))
    assert total == "42"
    assert wrong.startswith("Error: the arguments are wrong: ")
    assert (noted, EVENTS) == ("noted a sum", [])


async def test_after_data_from_outside_a_person_decides_on_what_spends_and_what_a_child_spends(
    client: Client, simulator: Control
) -> None:
    book = own("book", labels=("spends",))
    inner = agent(model=Call(model="mini", retry=ONCE), tools={"book": book})
    tools = {"page": own("weather", untrusted=True), "book": book, "inner": AgentTool(step=inner)}
    both = turn(call("book", room="2"), call("inner", input="A room."))
    script = [turn(call("book", room="1"), call("page", city="Bern")), both, turn(text="Done.")]
    await simulator.behave("sim-mid", script=script)
    await simulator.behave("sim-mini", script=[turn(call("book", room="3")), turn(text="Not booked.")])
    handle = await begin(client, asked_to(agent(tools=tools)))
    for path, decision in {"book.2.1": "approve", "inner.2.2.book.1.1": "reject"}.items():
        review = reviewing(client, f"{handle.id}.{path}.privilege")
        case = await opened(review)
        assert case.question.startswith("The agent has read data from outside")
        await decide(review, case, decision)
    assert (await handle.result()).text == "Done."
    assert sorted(event.split()[1] for event in EVENTS if event.startswith("book")) == ["1", "2"]
    [booked, page, *_] = [one["content"] for one in await seen(simulator) if one["role"] == "tool"]
    assert booked == "1 is booked"
    assert re.fullmatch(r"\[data (\w{16}) from outside.*:\]\n1 days of rain in Bern\n\[end of data \1\]", page)
    await replay(client, handle.id)


async def test_what_was_read_is_known_where_an_agent_continues_as_new_and_in_its_conversation(
    client: Client, simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("continuo.workflows.agent.MOST_EVENTS", 10)
    tools = {"page": own("weather", untrusted=True), "book": own("book", labels=("spends",))}
    looks = [turn(call("page", city=str(number))) for number in range(3)]
    runs = [[*looks, turn(call("book", room="1")), turn(text="No.")], [turn(call("book", room="2")), turn(text="No.")]]
    await simulator.behave("sim-mid", script=[*runs[0], *runs[1]])
    door, context = Door(client, Library()), Context(tenant="acme", conversation=f"talk {uuid4()}")
    request = Request(pattern=agent(tools=tools), name="agent", prompt="Book it.")
    first = await door.submit(request, context)
    review = reviewing(client, f"{first.id}.book.4.1.privilege")
    await decide(review, await opened(review), "reject")
    await first.result()
    again = await door.submit(request, context)
    review = reviewing(client, f"{again.id}.book.1.1.privilege")
    await decide(review, await opened(review), "reject")
    await again.result()
    assert [event for event in EVENTS if event.startswith("book")] == []


def test_a_server_that_is_not_in_the_catalog_is_told_before_anything_runs() -> None:
    with pytest.raises(InputError, match="unknown server 'note'; did you mean 'notes'"):
        asked_to(agent(servers={"note": AgentServer()}))
