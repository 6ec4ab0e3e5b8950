"""`continuo compose`: a pattern out of the catalog's models, from a wish in words."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from continuo.authoring.composing import Composer, Composition, usable
from continuo.authoring.files import is_file
from continuo.authoring.golden_sets import SetFile, load_set
from continuo.authoring.library import Library
from continuo.authoring.outline import outline
from continuo.authoring.prepare import check_text, validated
from continuo.authoring.to_yaml import to_yaml
from continuo.decisions.composing import composed_by
from continuo.door.request import Request
from continuo.errors import InputError, UnknownName
from continuo.jobs import Context, Failure, Outcome
from continuo.messages import Message, ModelRequest
from continuo.patterns import Auto
from continuo.starters.commands.batch import Pace
from continuo.starters.commands.eval import evaluate
from continuo.starters.console.completion import GoldenSetName, ModelName
from continuo.starters.console.drawn import check_tokens, draw
from continuo.starters.console.money import money
from continuo.starters.console.terminal import err, out
from continuo.starters.evaluation import saved
from continuo.starters.evaluation.asking import Incomplete, incomplete
from continuo.starters.evaluation.items import GoldenItem, read_golden
from continuo.starters.options import Whom

NAME = "compose"
"""What lists call the runs in which a model composes."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the pattern may take at worst, and how good it must be."""

    max_cost: Annotated[float, Parameter(validator=validators.Number(gt=0, lte=1e6))] = 1.0
    "USD for one request, with every retry."
    max_latency: str = "10m"
    "The time for one request, such as 30s; at that it is cancelled."
    quality: Annotated[float | None, Parameter(validator=validators.Number(gte=0, lte=1))] = None
    "The share of the items of --eval that it must pass, such as 0.8."

    def limits(self) -> dict[str, object]:
        return {"cost_usd": self.max_cost, "seconds": self.max_latency}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Written:
    """Where the pattern goes."""

    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None
    "Write it to this YAML file, and not to standard output."
    force: Annotated[bool, Parameter(negative=())] = False
    "Also where that file exists."

    def check(self) -> None:
        """Raises `InputError` for a file that is not to be written."""
        if self.output is None:
            return
        if not is_file(str(self.output)):
            raise InputError(f"--output {self.output}: a pattern's file ends with .yaml; name such a one")
        if self.output.exists() and not self.force:
            raise InputError(f"--output {self.output} exists; name another file, or overwrite it with --force")


async def compose(
    wish: str,
    *,
    by: ModelName | None = None,
    model: Annotated[tuple[ModelName, ...], Parameter(negative=())] = (),
    eval: GoldenSetName | None = None,
    input_tokens: int = 1000,
    output_tokens: int = 500,
    wanted: Wanted | None = None,
    written: Written | None = None,
    options: Whom | None = None,
) -> int:
    """Compose a pattern from a wish, within limits: checked, explained, estimated and tried.

    Parameters
    ----------
    wish
        What the pattern is for, in words: "answer the same questions reliably".
    by
        Let this model write the pattern; without it, and where it writes none that can be used, rules compose it.
    model
        Use this model; may be given several times. All that can be used here, if none is given.
    eval
        Try it on this golden set; with --quality one after the other is tried, the cheapest first.
    input_tokens
        How much each call is taken to read.
    output_tokens
        How much each call is taken to write, unless its step allows less.
    """
    wanted, written, options, library = wanted or Wanted(), written or Written(), options or Whom(), Library()
    check_tokens(input_tokens, output_tokens)
    written.check()
    auto = validated(
        Auto,
        wish=check_text("the wish", wish),
        by=by,
        models=model,
        limits=wanted.limits(),
    )
    context = options.context()
    if wanted.quality is not None and eval is None:
        raise InputError("--quality is measured; name a golden set with --eval")
    if eval is not None and written.output is None:
        raise InputError("--eval tries what is written; name a file with --output")
    trial = None if eval is None else _Trial.of(eval, library)
    request = ModelRequest(messages=(Message(role="user", content=wish),))
    composer = Composer(library, auto, usable(library, model), request, input_tokens, output_tokens)
    by_rules = composer.by_rules()
    by_model = await _by_model(composer, context)
    if by is not None and by_model is None:
        err.print("so rules compose it")
    candidates = [*([by_model] if by_model else []), *(by_rules if wanted.quality is None else reversed(by_rules))]
    for composition in candidates:
        _show(composer, composition)
        if written.output is None:
            out.out(to_yaml(composition.pattern), end="")
            return 0
        saved.write(written.output, to_yaml(composition.pattern))
        err.print(f"it is in {written.output}")
        if trial is None:
            return 0
        try:
            passed = await trial.passed(written.output, context)
        except Incomplete as stopped:
            return incomplete(stopped)
        if wanted.quality is None or passed >= wanted.quality:
            return 0
    err.print(f"none of {len(candidates)} reaches a quality of {wanted.quality:g}; allow more, or name other models")
    return 1


@dataclass(frozen=True)
class _Trial:
    """A golden set that patterns are tried on."""

    file: SetFile
    items: list[GoldenItem]

    @classmethod
    def of(cls, name: str, library: Library) -> "_Trial":
        """Raises `InputError` for a set that is unknown or wrong."""
        file = load_set(name, library.settings.evals)
        return cls(file, read_golden(file))

    async def passed(self, path: Path, context: Context) -> float:
        """The share of the items that the pattern in this file passes. Raises as `evaluate` does."""
        known = self.file.golden_set
        pace = Pace(window=known.window, budget=known.budget)
        # A library keeps for a while what a file had.
        evaluation = await evaluate(Library(), self.file, self.items, [str(path)], pace, context)
        whole = evaluation.patterns[0].whole
        median = "-" if whole.median_ms is None else f"{whole.median_ms / 1000:.2f} s"
        figures = f"{money(whole.cost_each_usd)} an item, median {median}"
        err.print(f"{self.file.name}: {whole.passed:,} of {whole.items:,} items pass, {figures}")
        return whole.passed / whole.items


async def _by_model(composer: Composer, context: Context) -> Composition | None:
    """What the model has composed that is to do so, if that can be used; what is wrong is told."""
    library, by = composer.library, composer.auto.by
    if by is None:
        return None
    try:
        library.step(by)
    except UnknownName:
        raise
    except InputError as error:
        err.print(str(error))
        return None
    from continuo.door import Door
    from continuo.temporal.connect import connect

    door, instructions = Door(await connect(), library), composer.instructions()

    async def ask(turns: tuple[Message, ...]) -> Outcome | Failure:
        request = Request(pattern=by, name=NAME, messages=turns, system=instructions)
        # The same command again asks, and pays, nothing twice.
        digest = sha256(request.model_dump_json().encode()).hexdigest()
        run = await door.submit(request.model_copy(update={"id": digest}), context)
        err.print(f"{run.id} asks {by.model}")
        return await run.result()

    async def check(text: str) -> Composition | str:
        try:
            return await asyncio.to_thread(composer.of_model, text)
        except InputError as error:
            return str(error)

    composition, wrong = await composed_by(ask, check, composer.auto.wish)
    for mistake in wrong:
        err.print(f"the model's pattern cannot be used: {mistake}")
    return composition


def _show(composer: Composer, composition: Composition) -> None:
    for reason in composition.reasons:
        err.print(reason)
    read, write = composer.input_tokens, composer.output_tokens
    catalog = composer.library.catalog
    node = outline(composition.step, "pattern", catalog, input_tokens=read, output_tokens=write)
    draw(err, node, read, write)
