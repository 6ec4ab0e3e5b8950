"""AgentDojo's suites with a scripted model that obeys whoever spoke last, and what labels of tools make of that."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.guardrails.attack_texts import CACHE
from continuo.decisions.privilege import after, asks_person
from continuo.jobs import Read
from continuo.patterns import AgentTool, Mcp

VERSION = "0.1.35"

ACTS = frozenset({
    "send_email", "delete_email", "create_calendar_event", "cancel_calendar_event", "reschedule_calendar_event",
    "add_calendar_event_participants", "append_to_file", "create_file", "delete_file", "share_file", "send_money",
    "schedule_transaction", "update_scheduled_transaction", "update_password", "update_user_info", "reserve_hotel",
    "reserve_car_rental", "reserve_restaurant", "add_user_to_channel", "send_direct_message", "send_channel_message",
    "invite_user_to_slack", "remove_user_from_slack", "post_webpage",
})  # fmt: skip
"""What cannot be had back."""


def labelled(name: str) -> AgentTool:
    """As an operator would: what acts spends, an address is handed on, and all else tells secrets."""
    step = Mcp(server="suite", tool=name)
    if name in ACTS:
        return AgentTool(step=step, labels=("spends", "writes_outside"))
    return AgentTool(step=step, labels=("writes_outside",) if name == "get_webpage" else ("reads_secrets",))


async def installed() -> Path:
    """AgentDojo's Python. Raises `RuntimeError` where it cannot be installed."""
    folder = CACHE / f"agentdojo-{VERSION}"
    if not (folder / "ready").exists():
        for line in (
            (sys.executable, "-m", "venv", str(folder)),
            (str(folder / "bin" / "pip"), "install", "--quiet", f"agentdojo=={VERSION}"),
        ):
            process = await asyncio.create_subprocess_exec(*line)
            if await process.wait():
                raise RuntimeError(f"AgentDojo {VERSION} cannot be installed: {' '.join(line)}")
        (folder / "ready").touch()
    return folder / "bin" / "python"


async def attacked(python: Path, *, labels: bool) -> list[dict[str, Any]]:
    """What came of each pair of a user's task and an attacker's, where a person lets pass what the user wants."""
    worker = Path(__file__).with_name("agentdojo_worker.py")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(str(python), str(worker), stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    ends: list[dict[str, Any]] = []
    read = Read()
    async for written in process.stdout:
        line = json.loads(written)
        answer: dict[str, bool] = {}
        if "end" in line:
            ends.append(line)
        else:
            tool = labelled(line["tool"])
            read = Read() if line["begin"] else read
            person = labels and asks_person(tool, read)
            answer = {"asked": person, "made": line["wanted"] or not person}
            read = after(read, [tool] if answer["made"] else [])
        process.stdin.write(json.dumps(answer).encode() + b"\n")
    if await process.wait():
        raise RuntimeError("AgentDojo's run failed; what it says is above")
    return ends


async def table() -> Table:
    python = await installed()
    shown = Table(
        "suite", "labels", "pairs", "attacker obeyed", "goal reached", "of these words alone", "solved", "asked"
    )
    for labels in (False, True):
        ends = await attacked(python, labels=labels)
        for suite in dict.fromkeys(end["suite"] for end in ends):
            own = [end for end in ends if end["suite"] == suite]
            reached = [end for end in own if end["reached"]]
            counts = Counter(end["end"] for end in own)
            shown.add_row(
                suite,
                "yes" if labels else "no",
                str(len(own)),
                str(counts["obeyed"]),
                str(len(reached)),
                str(sum(end["words_alone"] for end in reached)),
                f"{sum(end['solved'] for end in own) / len(own):.1%}",
                f"{sum(end['asked'] for end in own) / len(own):.1f}",
            )
    return shown
