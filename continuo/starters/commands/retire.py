"""`continuo retire`: a model is replaced in the patterns that ask it, once another one has been tried beside it."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

from cyclopts import Parameter

from continuo.authoring.files import MAX_FILE_BYTES, load_pattern, pattern_files
from continuo.authoring.golden_sets import load_set
from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.authoring.replacing import asks, shadow_of, with_replacement, with_shadow
from continuo.authoring.retiring import Retiring
from continuo.config.catalog import Catalog
from continuo.config.defaults import DEFAULTS
from continuo.errors import InputError, unknown
from continuo.evaluation.compared import within
from continuo.evaluation.gate import Limits, Verdict
from continuo.evaluation.shadows import verdict
from continuo.evaluation.variants import EFFECT
from continuo.operations.runs import RunQuery
from continuo.patterns import Split
from continuo.starters.console.completion import GoldenSetName
from continuo.starters.console.terminal import err, out
from continuo.starters.evaluation import saved
from continuo.starters.store import opened
from continuo.stores.variants import shadow_pairs
from continuo.text_file import read_text

Flag = Annotated[bool, Parameter(negative=())]


class Use(NamedTuple):
    """A pattern of one's own that asks the model: its file, what that says, and whether the other one is `tried`."""

    name: str
    path: Path
    text: str
    tried: bool


class Change(NamedTuple):
    """What a file says, and is to say."""

    path: Path
    before: str
    after: str


async def retire(
    model: str,
    *,
    other: Annotated[str | None, Parameter(name="--with")] = None,
    pattern: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    shadow: Flag = False,
    gate: Flag = False,
    apply: Flag = False,
    golden_set: GoldenSetName | None = None,
    since: str | None = None,
    effect: float = EFFECT,
    max_cost: float | None = None,
) -> int:
    """Replace a model in your patterns: tell which ask it, try another one beside it, compare.

    Without --shadow, --gate or --apply it tells what is next, and changes nothing.

    Parameters
    ----------
    model
        The one that retires, by its id in the catalog.
    other
        The one that is to answer in its place; that of the catalog (replaced_by), if none is given.
    pattern
        In this pattern alone; may be given several times.
    shadow
        Write the other one into the shadow of each pattern: it is asked too, and answers nobody.
    gate
        Compare the answers of both by what was said of them: exit code 1 unless the other one is as good.
    apply
        Write the other one in place of the model, where the gate lets it.
    golden_set
        Compare both models by the last evaluation of this golden set, in place of shadows.
    since
        Compare only copies that began at most this long ago, such as 7d, or on this day or later.
    effect
        The least loss of quality, from 0 to 1, that matters.
    max_cost
        So many times the cost is too much.
    """
    if shadow + gate + apply > 1:
        raise InputError("--shadow, --gate and --apply are one after the other; give one of them")
    library = Library()
    other = _other(library.catalog, model, other)
    limits = validated(Limits, min_effect=effect, max_ratio={} if max_cost is None else {"cost": max_cost})
    query = validated(RunQuery, since=since)
    uses = _uses(pattern_files(library.settings.patterns), pattern, model, other)
    untried = [use for use in uses if not use.tried]
    if other is None or not (shadow or gate or apply):
        for line in _about(library.catalog, model, uses):
            out.print(line)
        if other is None:
            raise InputError(f"the catalog names nothing that replaces {model!r}; give --with MODEL")
        _show(_shadows(untried, model, other))
        err.print(_next(model, other, uses, untried))
        return 0
    if not uses:
        raise InputError(f"no pattern of your own asks {model!r} by its name; there is nothing to do")
    if shadow:
        _write(_shadows(untried, model, other))
        err.print(f"in {len(untried)} of {len(uses)} patterns {other} is now asked beside {model}")
        return 0
    if golden_set is not None:
        file = load_set(golden_set, library.settings.evals)
        last = saved.read(file, saved.LAST)
        by_set = _passes(golden_set, lambda: within(last, f"model:{model}", f"model:{other}", file.golden_set.gate))
        return _end(uses, uses if by_set else [], model, other, apply=apply)
    if untried:
        raise InputError(
            f"{untried[0].name} has no shadow of {other}; write it with --shadow, or choose with --pattern"
        )
    passed = []
    async with opened() as database:
        for use in uses:
            pairs = await shadow_pairs(database, use.name, shadow_of(other), query.since)
            if _passes(use.name, partial(verdict, pairs, limits)):
                passed.append(use)
    return _end(uses, passed, model, other, apply=apply)


def _other(catalog: Catalog, model: str, other: str | None) -> str | None:
    """What is to answer in the model's place, if anything is named. Raises `InputError` where there is no such one."""
    if model not in catalog.models:
        raise unknown("model", model, catalog.models)
    if (other := other or catalog.models[model].replaced_by) is None:
        return None
    if other not in (known := {*catalog.models, *catalog.aliases}):
        raise unknown("model", other, known)
    if other == model:
        raise InputError(f"--with: {other!r} is the model itself; name another one")
    return other


def _uses(files: Mapping[str, Path], wanted: Sequence[str], model: str, other: str | None) -> list[Use]:
    """The patterns of one's own that ask the model by its name. Raises `InputError` for an unknown or wrong one."""
    for name in wanted:
        if name not in files:
            raise unknown("pattern", name, files)
    uses = []
    for name, path in files.items():
        if path.is_relative_to(DEFAULTS) or (wanted and name not in wanted):
            continue
        step = load_pattern(path).pattern
        if asks(step, model):
            tried = other is not None and isinstance(step, Split) and shadow_of(other) in step.shadow
            uses.append(Use(name, path.resolve(), read_text(path, MAX_FILE_BYTES), tried))
    return uses


def _about(catalog: Catalog, model: str, uses: Sequence[Use]) -> Iterator[str]:
    known, names = catalog.models[model], tuple(use.name for use in uses)
    if known.retires is None:
        yield f"the catalog does not say when {model} retires; write `retires` there, and `replaced_by`"
    else:
        yield str(Retiring(model, known.retires, known.replaced_by, names))
    for alias, models in catalog.aliases.items():
        if model in models:
            yield f"the alias {alias} names it: change that in the catalog"


def _next(model: str, other: str, uses: Sequence[Use], untried: Sequence[Use]) -> str:
    if not uses:
        return f"no pattern of your own asks {model} by its name"
    flag = "--shadow" if untried else "--gate"
    return f"nothing is changed; next: continuo retire {model} --with {other} {flag}"


def _shadows(uses: Sequence[Use], model: str, other: str) -> list[Change]:
    changes = []
    for use in uses:
        try:
            changes.append(Change(use.path, use.text, with_shadow(use.text, model, other)))
        except InputError as error:
            raise InputError(f"{use.path}: {error}") from None
    return changes


def _passes(name: str, compare: Callable[[], Verdict]) -> bool:
    """Whether the other one is as good; what is not sure is not."""
    try:
        findings = compare().findings
    except InputError as error:
        out.print(f"{name}: {error}")
        return False
    for finding in findings:
        out.print(f"{name}: {finding.name}: {finding.status.replace('_', ' ')}: {finding.reason}")
    return all(finding.status in ("unchanged", "improvement") for finding in findings)


def _end(uses: Sequence[Use], passed: Sequence[Use], model: str, other: str, *, apply: bool) -> int:
    """Write those that passed, if that is wanted; the exit code."""
    if apply:
        _write([Change(use.path, use.text, with_replacement(use.text, model, other)) for use in passed])
    if failed := [use.name for use in uses if use not in passed]:
        out.print(f"not yet: {', '.join(failed)}")
        return 1
    out.print("passed")
    return 0


def _show(changes: Sequence[Change]) -> None:
    for path, before, after in changes:
        lines = (before.splitlines(), after.splitlines())
        for line in difflib.unified_diff(*lines, str(path), str(path), lineterm="", n=1):
            out.out(line)


def _write(changes: Sequence[Change]) -> None:
    _show(changes)
    for path, _, after in changes:
        saved.write(path, after)
