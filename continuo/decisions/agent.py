"""What an agent does next, as pure functions."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import Literal

from pydantic import JsonValue

from continuo.data import Data
from continuo.decisions.privilege import as_data
from continuo.decisions.prompts import filled
from continuo.messages import Message, ToolCall
from continuo.parameters import Tool
from continuo.patterns import Agent, AgentTool, Mcp
from continuo.patterns.agent import RESERVED

NAME = 60
"""Characters of the name of a server's tool: providers take 64."""

RESULT = 100_000
"""Characters of a tool's result that a model is shown."""

MOST_EVENTS = 2_000
"""Of a history, before its agent continues as new: so many are read again within a second. A release may raise it, and
never lower it: what runs would then have had to continue before."""

Next = Literal["tools", "repair", "finish", "invalid"]


class Used(Data):
    """What an agent has used of its limits. `cost_usd` is None where a price is unknown."""

    turns: int = 0
    calls: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0


def reached(agent: Agent, used: Used, *, turns: int = 0, calls: int = 0) -> str | None:
    """The limit that leaves no room for so many more turns and calls of tools, or None."""
    if used.turns + turns > agent.turns:
        return f"the limit of {agent.turns} turns is reached"
    if used.calls + calls > agent.calls:
        return f"the limit of {agent.calls} calls of tools is reached"
    if agent.cost_usd is not None and used.cost_usd is not None and used.cost_usd >= agent.cost_usd:
        return f"the limit of ${agent.cost_usd:g} is reached: ${used.cost_usd:.6f} are spent"
    if used.seconds >= agent.seconds:
        return f"the limit of {agent.seconds:g} s is reached"
    return None


BREAK = "\n\n"
"""Between what an agent says in one turn and in the next."""


def following(agent: Agent, answer: Message, mistake: str | None, repaired: int) -> Next:
    """What follows an answer, whose text has that `mistake` for the schema of the output, after so many repairs."""
    if answer.tool_calls:
        return "tools"
    if mistake is None:
        return "finish"
    return "repair" if repaired < agent.repairs else "invalid"


def all_said(said: str, text: str) -> str:
    """What an agent has said with one more turn, as those read it who follow it turn by turn."""
    return f"{said}{BREAK}{text}" if said and text else said or text


def with_own_ids(answer: Message, turn: int) -> Message:
    """The answer, of whose calls each has an id that no other one of it has."""
    ids = [call.id for call in answer.tool_calls]
    if all(ids) and len(set(ids)) == len(ids):
        return answer
    calls = (call.model_copy(update={"id": f"call_{turn}_{at}"}) for at, call in enumerate(answer.tool_calls, 1))
    return answer.model_copy(update={"tool_calls": tuple(calls)})


def of_servers(agent: Agent, listed: Mapping[str, Sequence[Tool]]) -> Agent:
    """The agent with the tools of servers that it may use beside its own, each by a name that every provider takes and
    no other tool has."""
    tools = dict(agent.tools)
    for server, offered in listed.items():
        wanted = agent.servers[server].tools
        for tool in offered:
            if wanted is not None and tool.name not in wanted:
                continue
            plain = re.sub(r"[^A-Za-z0-9_-]", "_", tool.name)
            first = [plain[:NAME], f"{server[:20]}_{plain[: NAME - 21]}"]
            names = chain(first, (f"{plain[: NAME - 8]}_{number}" for number in count(2)))
            name = next(one for one in names if one not in tools and one not in RESERVED)
            schema = {**tool.parameters, "type": "object"}
            tools[name] = AgentTool(
                description=tool.description[:10_000],
                parameters=schema,
                step=Mcp(server=server, tool=tool.name),
                needs_approval=agent.servers[server].needs_approval,
                labels=agent.servers[server].labels.get(tool.name, ()),
                untrusted=agent.servers[server].untrusted,
            )
    return agent.model_copy(update={"tools": tools})


def answered(call: ToolCall, text: str, *, outside: bool = False) -> Message:
    """The turn that tells the model what its call came to; what comes from outside is marked as data."""
    if len(text) > RESULT:
        text = f"{text[:RESULT]}\n[{len(text) - RESULT:,} more characters are left out]"
    text = text or "(no output)"
    return Message(role="tool", content=as_data(text) if outside else text, tool_call_id=call.id)


def asked_of(tool: AgentTool, arguments: Mapping[str, JsonValue], written: str) -> str:
    """What the tool's step is asked, given the arguments, which were `written` as this JSON."""
    if tool.prompt is not None:
        values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in arguments.items()}
        return filled(tool.prompt, {**dict.fromkeys(tool.arguments, ""), **values})
    if isinstance(own := arguments.get("input"), str):
        return own
    texts = [value for value in arguments.values() if isinstance(value, str)]
    return texts[0] if len(texts) == len(arguments) == 1 else written
