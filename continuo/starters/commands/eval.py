"""`continuo eval`: golden sets, and how well patterns do at them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from continuo.authoring.golden_sets import SetFile, load_set
from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.errors import InputError
from continuo.evaluation.compared import compared
from continuo.evaluation.results import Evaluation
from continuo.jobs import Context, Priority
from continuo.starters.batches import opened_batches
from continuo.starters.commands.batch import Named, Pace
from continuo.starters.commands.dead_letters import find_letter
from continuo.starters.console.completion import GoldenSetName, Runnable
from continuo.starters.console.terminal import err, out
from continuo.starters.evaluation import junit, markdown, page, saved, table
from continuo.starters.evaluation.asking import Asking, Incomplete, incomplete
from continuo.starters.evaluation.capturing import add, captured
from continuo.starters.evaluation.items import GoldenItem, read_golden
from continuo.starters.evaluation.people import beside_people
from continuo.starters.evaluation.running import evaluated
from continuo.starters.evaluation.scoring import scoring_patterns
from continuo.starters.options import Whom

eval = App(name="eval", help="Score patterns on golden sets, and hold them to what they were.")
eval.command(
    "continuo.starters.commands.eval_replay:replay",
    name="replay",
    help="Run a pattern over a table of what models answered, and tell what it saves and what accuracy that costs.",
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class EvalOptions(Whom):
    """For whom the items are run."""

    priority: Priority = "batch"
    "Which pool runs them."


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reports:
    """What is written beside the table."""

    markdown: Path | None = None
    "Write the report to this file, as Markdown."
    html: Path | None = None
    "Write it as a page of HTML with charts."
    junit: Path | None = None
    "Write a case for each item, as JUnit's XML."
    json: Path | None = None
    "Write all of it as JSON, with which `continuo eval gate` compares another."
    save: str = saved.LAST
    "Keep it by this name beside the set, such as main, for `continuo eval gate`."

    def check(self) -> None:
        """Raises `InputError` for what cannot be written."""
        saved.check_name(self.save)
        if self.json is not None and self.json.suffix != ".json":
            raise InputError(
                f"--json {self.json}: continuo eval gate reads a file that ends with .json; name such a one"
            )

    def write(self, file: SetFile, evaluation: Evaluation) -> None:
        text = saved.as_json(evaluation)
        for name in {saved.LAST, self.save}:
            saved.write(file.saved(name), text)
        forms: Mapping[str, tuple[Path | None, Callable[[Evaluation], str]]] = {
            "Markdown": (self.markdown, markdown.report),
            "HTML": (self.html, page.report),
            "JUnit": (self.junit, junit.report),
            "JSON": (self.json, lambda _: text),
        }
        for form, (path, report) in forms.items():
            if path is not None:
                saved.write(path, report(evaluation))
                err.print(f"the report as {form} is in {path}")


@eval.command
async def run(
    golden_set: GoldenSetName,
    *,
    pattern: Annotated[tuple[Runnable, ...], Parameter(negative=())] = (),
    budget: float | None = None,
    id: str | None = None,
    reports: Reports | None = None,
    options: EvalOptions | None = None,
) -> int:
    """Let patterns answer the items of a golden set, and score the answers. The same command again goes on where it
    was, and pays nothing twice.

    Parameters
    ----------
    golden_set
        The name of a file in the folder of golden sets, or the path of a YAML file.
    pattern
        Evaluate this one: a named pattern, a YAML file, or model:ID; may be given several times. The set's own, if none
        is given.
    budget
        Begin no more when this many USD are spent, in place of the set's own.
    id
        Another try of the same: what its batches are called by, in place of the set's name.
    """
    options, reports, library = options or EvalOptions(), reports or Reports(), Library()
    reports.check()
    if len({*pattern}) < len(pattern):
        raise InputError("--pattern: one is given twice; give each once")
    file = load_set(golden_set, library.settings.evals)
    known = file.golden_set
    items = read_golden(file)
    pace = Pace(window=known.window, budget=known.budget if budget is None else budget)
    own = (known.pattern,) if known.pattern else ()
    if not (patterns := pattern or own):
        raise InputError(f"{file.path} names no pattern; add `pattern:`, or give --pattern")
    try:
        evaluation = await evaluate(library, file, items, patterns, pace, options.context(), id)
    except Incomplete as stopped:
        return incomplete(stopped)
    for part in table.report(evaluation):
        out.print(part)
    reports.write(file, evaluation)
    return 0


@eval.command
async def gate(
    golden_set: GoldenSetName,
    *,
    baseline: str,
    candidate: str = saved.LAST,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Compare two results of a golden set: exit code 1 where the candidate is significantly worse.

    Parameters
    ----------
    golden_set
        The name of a file in the folder of golden sets, or the path of a YAML file.
    baseline
        What to compare with: the name that it was saved by, such as main, or a file that ends with .json.
    candidate
        What is judged, in the same way; the last evaluation, if none is given.
    json
        Print the verdicts by pattern, as JSON.
    """
    file = load_set(golden_set, Library().settings.evals)
    before, after = saved.read(file, baseline), saved.read(file, candidate)
    verdicts = compared(before, after, file.golden_set.gate)
    passed = all(verdict.passed for verdict in verdicts.values())
    if json:
        out.out(dumps({pattern: verdict.model_dump(mode="json") for pattern, verdict in verdicts.items()}, indent=2))
        return 0 if passed else 1
    for pattern, verdict in verdicts.items():
        for finding in verdict.findings:
            out.print(f"{pattern}: {finding.name}: {finding.status.replace('_', ' ')}: {finding.reason}")
    out.print("passed" if passed else "failed: there is a regression, or an amount over its limit")
    return 0 if passed else 1


@eval.command
async def capture(
    golden_set: GoldenSetName,
    *,
    run: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    dead_letter: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    expect_answer: Annotated[bool, Parameter(negative=())] = False,
    tag: Annotated[tuple[str, ...], Parameter(negative=())] = (),
) -> int:
    """Add what past runs were asked to the items of a golden set, once each, as it is stored: with placeholders in
    place of what is private.

    Parameters
    ----------
    golden_set
        The name of a file in the folder of golden sets, or the path of a YAML file.
    run
        The id of a run, or the beginning of one; may be given several times.
    dead_letter
        The id of a dead letter or of its run, or the beginning of one; may be given several times.
    expect_answer
        What the run answered is right: it is what is expected.
    tag
        A tag of the items; may be given several times.
    """
    from continuo.door.inspection import recorded
    from continuo.temporal.connect import connect

    library = Library()
    file = load_set(golden_set, library.settings.evals)
    if not run and not dead_letter:
        raise InputError("there is nothing to capture; give --run ID or --dead-letter ID")
    ids = [*run, *[(await find_letter(id)).brief["run_id"] for id in dead_letter]]
    client = await connect()
    items = [captured(await recorded(client, id), expect_answer=expect_answer, tags=tag) for id in ids]
    added = add(file, items, library.masker)
    out.print(f"{added:,} of {len(items):,} items are new in {file.items}")
    if not expect_answer:
        err.print("write into each what a right answer says, as `expected`, or what a judge looks at, as `rubric`")
    return 0


async def evaluate(
    library: Library,
    file: SetFile,
    items: Sequence[GoldenItem],
    patterns: Sequence[str],
    pace: Pace,
    context: Context,
    id: str | None = None,
) -> Evaluation:
    """The set on each of the `patterns`, run for `context`; its batches are called by the `id`, or the set's name.

    Raises `InputError` for what cannot run, and `Incomplete` where a batch stops before its end.
    """
    names = {*patterns, *scoring_patterns(file.golden_set)}
    terms = await asyncio.to_thread(lambda: {name: pace.terms(library, name, context) for name in names})
    prefix = validated(Named, id=id or f"eval-{file.name}").id
    async with opened_batches(library) as (batches, store):
        asking = Asking(batches, store, prefix, terms, library.catalog, pace.budget)
        evaluation = await evaluated(asking, file, items, patterns)
        return await beside_people(store.database, file.golden_set, context.tenant, evaluation)
