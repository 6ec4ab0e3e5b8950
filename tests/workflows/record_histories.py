"""`make histories`: run every workflow to every kind of end, and keep the histories that the replay test replays.

One that is there already is kept: it must go on replaying. Delete it when a change is meant to break running workflows.
"""

import asyncio
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError

from continuo.authoring.library import Library
from continuo.decisions.parts import PART
from continuo.door.request import Line, Request
from continuo.door.runs import Handle, result, start
from continuo.door.schedules import Planned, PlannedBatch
from continuo.jobs import Background, Context, Outcome
from continuo.messages import Message
from continuo.operations import provider_batches
from continuo.operations.batches import AtProvider, Terms
from continuo.operations.compensations import Resolution
from continuo.operations.schedules import BATCH_TYPE as SCHEDULED_BATCH
from continuo.operations.schedules import TYPE as SCHEDULED
from continuo.operations.schedules import action_id
from continuo.patterns import (
    Adaptive,
    Agent,
    AgentTool,
    Auto,
    Cached,
    Call,
    Cascade,
    Compaction,
    Compress,
    Deadline,
    Ensemble,
    Fallback,
    FanOut,
    Guard,
    Http,
    Limits,
    Mcp,
    Orchestrate,
    Python,
    Retry,
    Review,
    Route,
    Split,
    Step,
    Template,
    Variant,
)
from continuo.patterns.choices import Intent, Length, Majority, Merge
from continuo.protection.breaker import CallEnd
from continuo.protection.webhooks import SHORTEST
from continuo.temporal import payloads
from continuo.testing.processes import Control, begin, job, until
from continuo.workers.pool import pool
from continuo.workflows.together import WINDOW
from tests.support.config_files import written_catalog
from tests.support.receiver import receiving
from tests.support.repository import ROOT
from tests.support.world import made
from tests.workflows import test_breaker as breaker
from tests.workflows.test_batch import batches, numbered, under_way
from tests.workflows.test_dead_letter import LetterHandle, buried, content, noted
from tests.workflows.test_provider_batch import sent
from tests.workflows.test_review import decide, opened
from tests.workflows.test_saga import log, order, parked

HISTORIES = ROOT / "tests" / "histories"
ONCE = Retry(attempts=1)
TEXT: dict[str, JsonValue] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


def portable(history: str) -> str:
    """The history without what only this machine could know: the paths in its stack traces, the names of hosts."""
    history = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history)
    return re.sub(r'"\d+@[^"]*"', '"worker"', history)


async def keep(name: str, handle: WorkflowHandle[Any, Any]) -> None:
    path = HISTORIES / f"{name}.json"
    if path.exists():
        return
    history = await handle.fetch_history()
    path.write_text(portable(history.to_json()) + "\n", encoding="utf-8")
    print(f"{name}: {len(history.events)} events")


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    # A history that is replayed has all in itself, and nothing beside it.
    payloads.THRESHOLD = 2**20
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CONTINUO_CODE"] = "tests.support.own_code"
        os.environ["TOOLS_TEST_TOKEN"] = "t" * SHORTEST
        os.environ |= {"CONTINUO_WEBHOOK_KEY": "k" * SHORTEST, "CONTINUO_WEBHOOK_PRIVATE": "1"}
        # What fails here is to fail, and not to open a breaker.
        os.environ["CONTINUO_CATALOG"] = str(written_catalog(Path(folder)))
        async with (
            made(Path(folder)) as world,
            pool(world.client, Library(), "standard", 30),
            pool(world.client, Library(), "batch", 20),
        ):
            await record(world.client, world.simulator, world.shop)
            await record_compressed(world.client)
            await record_orchestrations(world.client)
            await record_composed(world.client, world.simulator)
            await record_letters(world.client, world.simulator)
            await record_report(world.client)
            await record_prune(world.client)
            await record_alerts(world.client)
            await record_shifts(world.client)
            await record_breakers(world.client)
            await record_webhooks(world.client, world.simulator)
            await record_agents(world.client, world.simulator)
            await record_batches(world.client, world.simulator)
            await record_provider_batches(world.client, world.simulator)
            await world.simulator.delete("/_sim/models")
            await record_schedules(world.client)
            await record_scheduled_batch(world.client)
        await record_continued(Path(folder) / "continued")


async def record_compressed(client: Client) -> None:
    """One that is asked too much, and sums up what it leaves out."""
    answers = Call(model="mid", retry=ONCE)
    long = job(Compress(answers, tokens=300, summary=answers))
    messages = tuple(Message(role="user", content="x" * 400) for _ in range(3))
    request = long.request.model_copy(update={"messages": messages})
    handle = await begin(client, long.model_copy(update={"request": request}))
    await result(handle)
    await keep("compress-saving", handle)


async def record_composed(client: Client, simulator: Control) -> None:
    """By rules, by a model that is told a mistake, and nothing that would cost too much."""
    auto = Auto(wish="Answer reliably", by=Call(model="premium", retry=ONCE), models=("mini", "mid"))
    good = "description: Mine.\npattern: {kind: call, model: sim-mini}"
    await simulator.behave("sim-premium", script=[{"text": "pattern: none"}, {"text": good}])
    ways = {
        "auto-rules": auto.model_copy(update={"by": None}),
        "auto-model": auto,
        "auto-dear": auto.model_copy(update={"limits": Limits(cost_usd=1e-6)}),
    }
    for name, step in ways.items():
        handle = await begin(client, job(step))
        await result(handle)
        await keep(name, handle)
    await simulator.delete("/_sim/models")


async def record_schedules(client: Client) -> None:
    """One time that is run, and one whose pattern is no more."""
    for name, pattern in {"scheduled-done": "model:mid", "scheduled-refused": "model:nosuch"}.items():
        request = Request(pattern=pattern, prompt="How many?")
        planned = Planned(name=name, request=request, context=Context(tenant="acme", priority="standard"))
        id = f"{action_id('acme', name)}-2026-11-27T06:00:00Z"
        run = await client.start_workflow(SCHEDULED, planned, id=id, task_queue="standard")
        with suppress(WorkflowFailureError):
            await run.result()
        await keep(name, run)


async def record_scheduled_batch(client: Client) -> None:
    async with batches(client) as place:
        step = Library().step("model:mid")
        terms = Terms(step=step, context=Context(pattern="model:mid", tenant="acme", priority="standard"))
        lines = [Line(1, Request(pattern="model:mid", prompt="How many?"))]
        await place.batches.plan("schedule:nightly:1", "digest", terms, "items.jsonl", lines)
        planned = PlannedBatch(name="nightly", context=terms.context, items="schedule:nightly:1")
        id = f"{action_id('acme', 'nightly')}-2026-11-27T06:00:00Z"
        run = await client.start_workflow(SCHEDULED_BATCH, planned, id=id, task_queue="standard")
        await run.result()
        await keep("scheduled-batch", run)


async def record_batches(client: Client, simulator: Control) -> None:
    async with batches(client) as place:
        for name, begins in {"batch-done": "batch-b", "batch-cancelled": "batch-c"}.items():
            await simulator.delete("/_sim/models")
            if name == "batch-cancelled":
                await simulator.behave("sim-mid", latency=60)
            begun = await place.begun(numbered(3), id=begins, window=2)
            if name == "batch-cancelled":
                await under_way(simulator, 2)
                await place.batches.stop(begun, now=True)
            await place.end(begun)
            await keep(name, place.handle(begins))


async def record_provider_batches(client: Client, simulator: Control) -> None:
    """One that expires and is sent again, one that is cancelled, one that is left for single calls."""
    provider_batches.FIRST_LOOK = provider_batches.IDLE_PAUSE = 0.1
    async with batches(client) as place:
        for name, batch in {
            "provider-batch-done": {"answers": 2},
            "provider-batch-cancelled": {"delay": 600},
            "provider-batch-single": {"answers": 0},
        }.items():
            await simulator.behave("sim-mid", batch=batch)
            begun = await place.begun(numbered(3), id=name, at_provider=AtProvider())
            if name == "provider-batch-cancelled":
                await sent(place, name)
                await place.batches.stop(begun, now=True)
            run = await place.handle(name).describe()
            await place.end(begun)
            await keep(name, client.get_workflow_handle(run.id, run_id=run.run_id))
    await simulator.delete("/_sim/models")


async def record(client: Client, simulator: Control, shop: Control) -> None:
    async def ended(name: str, handle: Handle) -> None:
        await result(handle)
        await keep(name, handle)

    await simulator.behave("sim-premium", status=503)
    await simulator.behave("sim-mini", latency=60)
    answers, fails, hangs = (Call(model=name, retry=ONCE) for name in ("mid", "premium", "mini"))
    sorry, refused = Template(text="Sorry."), Template(text="invalid")
    child = answers.model_copy(update={"isolate": True})
    halves = {"a": answers, "b": fails}
    slow = answers >> hangs
    names = [str(number) for number in range(PART + 1)]
    steps: dict[str, Step] = {
        "call-answered": answers,
        "call-local": answers.model_copy(update={"local": True}),
        "call-local-failed": Fallback(steps=(fails.model_copy(update={"local": True}), sorry)),
        "call-failed": fails,
        "template": sorry,
        "fallback-second-tier": Fallback(steps=(fails, answers)),
        "fallback-exhausted": Fallback(steps=(fails, fails)),
        "fallback-child": Fallback(steps=(fails, child)),
        "cascade-second-tier": Cascade(steps=(answers, sorry)),
        "cascade-earlier-tier": Cascade(steps=(answers, fails)),
        "cascade-exhausted": Cascade(steps=(fails, fails)),
        "route": Route(by=Length(), branches={"local": answers}, default="local"),
        "route-by-intent": Route(by=Intent(step=answers), branches={"other": sorry}, default="other"),
        "pipeline": answers >> answers,
        "pipeline-failed": answers >> fails,
        "fan-out": FanOut(branches={"a": answers, "b": answers}),
        "fan-out-inline": FanOut(branches={"a": answers, "b": answers}, inline=True),
        "fan-out-partial": FanOut(branches=halves, min_successes=1, merge=Merge(step=answers)),
        "fan-out-failed": FanOut(branches=halves),
        "fan-out-late-branch": FanOut(branches={"a": answers, "b": slow}, min_successes=1, branch_timeout=1),
        "fan-out-window": FanOut(branches={**dict.fromkeys(names[:WINDOW], sorry), "last": answers}, inline=True),
        "fan-out-parts": FanOut(branches=dict.fromkeys(names, sorry), inline=True),
        "ensemble-unanimous": Ensemble(members=(sorry, sorry)),
        "ensemble-quorum": Ensemble(members=(sorry, sorry, hangs), combine=Majority(quorum=2)),
        "ensemble-otherwise": Ensemble(members=(answers, sorry), combine=Majority(quorum=2), otherwise=sorry),
        "ensemble-undecided": Ensemble(members=(fails, fails)),
        "deadline-in-time": Deadline(answers, limit=30),
        "deadline-otherwise": Deadline(hangs, limit=0.5, otherwise=sorry),
        "cached-miss": Cached(answers, ttl=60),
        "cached-failed": Cached(fails),
        "cascade-judged": Cascade(steps=(sorry, answers), judge=Template(text="0.1")),
        "guard-passed": Guard(answers, checks={"secrets": True, "language": ["en"]}),
        "guard-redacted": Guard(Template(text="Darn it."), checks={"blocked": ["darn"]}, on_failure="redact"),
        "guard-rejected": Guard(answers, checks={"length": {"max": 1}}, retries=1, moderator=sorry),
        "guard-otherwise": Guard(answers, moderator=refused, on_failure="otherwise", otherwise=sorry),
        "python": Python(function="tests.support.own_code:shout", input={"text": "{input}"}),
        "python-failed": Python(function="tests.support.own_code:fail", input={"event": "a", "error": "ValueError"}),
        "mcp": Mcp(server="notes", tool="note", input={"text": "{input}"}),
        "mcp-failed": Mcp(server="notes", tool="fail"),
        "split-adaptive": Split(
            variants={name: Variant(step=answers) for name in "ab"}, adaptive=Adaptive(), sticky="session"
        ),
        "split-with-shadow": Split(variants={"a": Variant(step=answers)}, shadow={"b": answers}),
    }
    # As they were recorded before decisions were, and after that.
    for name in ("cascade-earlier-tier", "route", "ensemble-quorum", "split-with-shadow"):
        steps[f"{name}-recorded"] = steps[name]
    handles = {name: await begin(client, job(step)) for name, step in steps.items()}
    for name, handle in handles.items():
        await ended(name, handle)
    await ended("cached-hit", await begin(client, job(steps["cached-miss"])))
    await record_reviews(client)
    late = handles["fan-out-late-branch"].id
    await keep("pipeline-cancelled-child", client.get_workflow_handle(f"{late}.b"))
    limited = job(hangs)
    context = limited.context.model_copy(update={"deadline": 0.5})
    await ended("call-deadline", await begin(client, limited.model_copy(update={"context": context})))
    reserve = Http(service="inventory", path="/reservations/{order_id}", method="PUT")
    await ended("http", await begin(client, order().model_copy(update={"step": reserve})))
    await ended("saga-done", await begin(client, order()))
    await ended("saga-compensated", await begin(client, order(country="AQ")))

    cancelled = await begin(client, job(Fallback(steps=(hangs, answers))))
    await until(lambda: simulator.calls("sim-mini"))
    await cancelled.cancel()
    await ended("fallback-cancelled", cancelled)

    await shop.put("/_faults/shipping", method="PUT", count=1, status=None, latency=60)
    halted = await begin(client, order())
    await until(lambda: _length_is(halted, 2))
    await halted.cancel()
    await ended("saga-cancelled", halted)

    await shop.put("/_faults/payment", method="DELETE", count=100, status=500)
    waiting = await begin(client, order(undo_attempts=1, country="AQ"))
    await parked(waiting, "charge payment")
    resolution = Resolution(step="charge payment", decision="skip", by="ada")
    await waiting.execute_update("resolve", resolution)
    # As it was recorded before it was a review too, and after that.
    await ended("saga-parked", waiting)
    await keep("saga-parked-reviewed", waiting)


async def record_orchestrations(client: Client) -> None:
    answers, fails = Call(model="mid", retry=ONCE), Call(model="premium", retry=ONCE)
    steps = {
        "orchestrate": Orchestrate(planner=answers, executors=(fails, answers), validator=answers),
        "orchestrate-one-call": Orchestrate(planner=Template(text="no plan"), executors=(answers,)),
        "orchestrate-failed": Orchestrate(planner=answers, executors=(fails, fails)),
    }
    for name, step in steps.items():
        handle = await begin(client, job(step, "Explain and compare both, and why? Say which algorithm each has."))
        await result(handle)
        await keep(name, handle)


async def _length_is(handle: Handle, length: int) -> bool:
    return len(await log(handle)) == length


async def record_reviews(client: Client) -> None:
    group = Review(reviewers=("ann", "bob"), policy="all", due=60, remind=0.2)
    for name, decision in (("review-approved", "approve"), ("review-rejected", "reject")):
        handle = await begin(client, job(group))
        case = await opened(handle)
        await handle.execute_update("claim", args=["ann", 60.0])
        for reviewer in group.reviewers:
            with suppress(WorkflowUpdateFailedError, RPCError):
                await decide(handle, case, decision, reviewer)
        await result(handle)
        await keep(name, handle)
    late = await begin(client, job(Review(due=0.3, otherwise=Template(text="hold"))))
    await result(late)
    await keep("review-undecided", late)


async def record_letters(client: Client, simulator: Control) -> None:
    async def kept() -> LetterHandle:
        await simulator.behave("sim-premium", status=503)
        return await buried(client, failing)

    async def closed(name: str, letter: LetterHandle) -> None:
        await letter.result()
        await keep(name, letter)

    failing = job(Call(model="premium", retry=ONCE))
    answered = await kept()
    run = await content(answered)
    await keep("call-kept", client.get_workflow_handle(run.workflow_id, run_id=run.run_id))
    await answered.signal("retry")
    retried = await noted(answered, "the last retry failed")
    await keep("call-failed-again", client.get_workflow_handle(retried.workflow_id))
    await answered.signal("retry", "suport")
    await noted(answered, "unknown pattern")
    await simulator.delete("/_sim/models")
    await answered.signal("retry", "support")
    await closed("dead-letter-answered", answered)

    discarded = await kept()
    await simulator.behave("sim-premium", latency=60)
    await discarded.signal("retry")
    await noted(discarded, "a retry is under way")
    await discarded.signal("discard", "too late")
    await client.get_workflow_handle((await content(discarded)).workflow_id).cancel()
    await closed("dead-letter-discarded", discarded)

    done = await kept()
    await simulator.behave("sim-premium", latency=2)
    again = await start(client, failing, id=(await content(done)).workflow_id)
    await done.signal("retry")
    await noted(done, "another run")
    await result(again)
    await done.signal("retry")
    await closed("dead-letter-done-before", done)


async def record_report(client: Client) -> None:
    run = await client.start_workflow("Report", {"kind": "costs"}, id="report", task_queue="standard")
    await run.result()
    await keep("report", run)


async def record_alerts(client: Client) -> None:
    run = await client.start_workflow("Alerts", id="alerts", task_queue="standard")
    await run.result()
    await keep("alerts", run)


async def record_shifts(client: Client) -> None:
    run = await client.start_workflow("ShiftSplits", id="shift-splits", task_queue="standard")
    await run.result()
    await keep("shift-splits", run)


async def record_prune(client: Client) -> None:
    run = await client.start_workflow("Prune", {"dry_run": True}, id="prune", task_queue="standard")
    await run.result()
    await keep("prune", run)


async def record_webhooks(client: Client, simulator: Control) -> None:
    """Runs of every end that are told of, and what tells of the last."""
    await simulator.behave("sim-premium", status=503)
    await simulator.behave("sim-mini", latency=60)
    async with receiving() as receiver:
        background = Background(id=f"job_{'0' * 32}", webhook=receiver.url())
        for name, model in (("answered", "mid"), ("failed", "premium"), ("cancelled", "mini")):
            given = job(Call(model=model, retry=ONCE))
            context = given.context.model_copy(update={"background": background})
            run = await begin(client, given.model_copy(update={"context": context}))
            if name == "cancelled":
                await until(lambda: simulator.calls("sim-mini"))
                await run.cancel()
            await result(run)
            await keep(f"call-{name}-told", run)
        webhook = client.get_workflow_handle(f"webhook/{run.id}/{run.first_execution_run_id}")
        await webhook.result()
        await keep("webhook", webhook)


async def record_agents(client: Client, simulator: Control) -> None:
    """Agents that answer, are told more, stopped by a limit, forget, are asked for JSON in vain, or need a person."""
    wanted = {"name": "shout", "arguments": {"text": "x" * 400}}
    wrong = {"name": "shout", "arguments": {}}
    script = [{"calls": [wanted, wrong]}, {"calls": [wanted]}, {"calls": [wanted]}, {"text": "Done."}]
    shout = AgentTool(step=Python(function="tests.support.own_code:shout"), parameters=TEXT)
    agent = Agent(model=Call(model="mid", retry=ONCE), tools={"shout": shout})
    agents = {
        "answered": agent,
        "limited": agent.model_copy(update={"turns": 2}),
        "compacted": agent.model_copy(
            update={"context": Compaction(tokens=100, keep=1, summary=Call(model="mini", retry=ONCE))}
        ),
        "invalid": agent.model_copy(update={"output": TEXT}),
        "nested": agent.model_copy(update={"tools": {"shout": AgentTool(step=agent)}}),
    }
    await simulator.behave("sim-mid", script=script, latency=0.3)
    for name, step in agents.items():
        handle = await begin(client, job(step))
        if name == "answered":
            await handle.execute_update("say", "And now?")
        await result(handle)
        await keep(f"agent-{name}", handle)
    reviewed = shout.model_copy(update={"needs_approval": Review()})
    handle = await begin(client, job(agent.model_copy(update={"tools": {"shout": reviewed}})))
    for turn in range(1, 4):
        review = client.get_workflow_handle(f"{handle.id}.shout.{turn}.1.approval", result_type=Outcome)
        await decide(review, await opened(review), "reject" if turn == 2 else "approve")
    await result(handle)
    await keep("agent-reviewed", handle)
    spends = shout.model_copy(update={"untrusted": True, "labels": ("spends",)})
    handle = await begin(client, job(agent.model_copy(update={"tools": {"shout": spends}})))
    for turn in range(2, 4):
        review = client.get_workflow_handle(f"{handle.id}.shout.{turn}.1.privilege", result_type=Outcome)
        await decide(review, await opened(review), "reject" if turn == 2 else "approve")
    await result(handle)
    await keep("agent-privilege", handle)


async def record_continued(folder: Path) -> None:
    """An agent that continues as new, since its server says that its history is long, and goes on: both parts."""
    wanted = {"name": "shout", "arguments": {"text": "x"}}
    shout = AgentTool(step=Python(function="tests.support.own_code:shout"), parameters=TEXT)
    agent = Agent(model=Call(model="mid", retry=ONCE), tools={"shout": shout})
    async with (
        made(folder, "limit.historyCount.suggestContinueAsNew=60") as world,
        pool(world.client, Library(), "standard", 5),
    ):
        script = [{"calls": [wanted]}] * 6 + [{"text": "Done."}]
        await world.simulator.behave("sim-mid", script=script, latency=0.1)
        handle = await begin(world.client, job(agent))
        await handle.execute_update("say", "And now?")
        outcome = await result(handle)
        assert isinstance(outcome, Outcome)
        assert outcome.text == "Done."
        first = world.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        await keep("agent-continues", first)
        await keep("agent-continued", world.client.get_workflow_handle(handle.id, run_id=outcome.run_id))


async def record_breakers(client: Client) -> None:
    """A breaker never ends: what is kept is how far it came."""

    async def becomes(handle: WorkflowHandle[Any, Any], state: str) -> None:
        async def became() -> bool:
            return (await breaker.asked(handle)).state == state

        await until(became)

    async def ended(handle: WorkflowHandle[Any, Any], how: str, holder: str) -> None:
        end = {"ended": how, "holder": holder, "breaker": {"failures": 2, "cool_down": 1}}
        await handle.signal("ended", CallEnd.model_validate(end))

    recovers = await breaker.start(client, "recovers")
    for how in ("failed", "succeeded", "failed", "failed"):
        await ended(recovers, how, "call")
    for how in ("failed", "released", "succeeded", "succeeded"):
        await becomes(recovers, "half_open")
        await recovers.execute_update("probe", args=[how, 30])
        await ended(recovers, how, how)
    await becomes(recovers, "closed")
    await keep("breaker-recovers", recovers)

    by_hand = await breaker.start(client, "by-hand")
    for signal in ("force_open", "force_close", "reset"):
        await by_hand.signal(signal, "a note")
    await becomes(by_hand, "closed")
    await keep("breaker-by-hand", by_hand)


if __name__ == "__main__":
    asyncio.run(main())
