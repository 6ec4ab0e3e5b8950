"""`continuo audit`: who did what and when, in chains that tell where they were changed."""

import json as jsonlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter
from pydantic import ValidationError
from rich.console import RenderableType

from continuo.authoring.prepare import validated
from continuo.errors import InputError
from continuo.money import NANO
from continuo.operations.audit import Broken, Entry, Head, Link
from continuo.operations.runs import RunQuery
from continuo.starters.console.money import money
from continuo.starters.console.terminal import err, out, wrapped
from continuo.starters.store import opened
from continuo.stores.audit import chains, links, name_of, of_runs, verified
from continuo.stores.database import Database
from continuo.stores.runs import rows_of
from continuo.text_file import read_text

MAX_HEADS = 10 * 2**20
"""Bytes of a file of heads."""

audit = App(name="audit", help="Verify, show and export what the audit has of each run.")


@audit.command
async def verify(*, tenant: str | None = None, heads: str | None = None) -> int:
    """Look through the chains: exit code 1, with the row's number, where one is changed, missing or moved.

    Parameters
    ----------
    tenant
        The chain of this tenant alone.
    heads
        A file with what `continuo audit head` has printed earlier, kept where the store's writers cannot write; `-` is
        standard input. Without one, a chain that was wholly written anew is not noticed.
    """
    kept = _heads(heads) if heads is not None else []
    async with opened() as database:
        names = {chain.tenant for chain in await chains(database)} | {head.tenant for head in kept}
        if tenant is not None:
            names = {tenant}
        results = {name: await verified(database, name, _of(kept, name)) for name in sorted(names)}
    for name, result in results.items():
        if isinstance(result, Broken):
            err.print(f"failed: {name}: row {result.row}: {result.why}")
        else:
            out.print(f"{name}: {result:,} rows, none changed, missing or moved")
    if not results:
        out.print("the audit is empty")
    return int(any(isinstance(result, Broken) for result in results.values()))


@audit.command
async def head() -> int:
    """Print the last row of each chain, a line of JSON each: keep it elsewhere, for `continuo audit verify --heads`."""
    async with opened() as database:
        for chain in await chains(database):
            out.out(Head(tenant=chain.tenant, seq=chain.seq, hash=chain.hash).model_dump_json())
    return 0


@audit.command
async def export(*, tenant: str | None = None, since: str | None = None) -> int:
    """Print the rows as JSON, one a line: the number, the hash and the entry of each, tenant by tenant.

    Parameters
    ----------
    tenant
        Those of this tenant alone.
    since
        What was at most this long ago, such as 2h or 7d, or on this day or later, such as 2026-11-21 (UTC).
    """
    query = validated(RunQuery, tenant=tenant, since=since)
    async with opened() as database:
        for chain in await chains(database, query.tenant):
            async for link in links(database, chain.tenant, since=query.since):
                out.out(jsonlib.dumps({"hash": link.hash, "entry": _read(link)}, sort_keys=True))
    return 0


@audit.command
async def show(run: str, *, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Show what the audit has of a run: who, when, by what, what each stage decided, lengths and digests.

    Parameters
    ----------
    run
        Its run id; its workflow id too, as long as it is in the table of runs.
    json
        Print it as JSON.
    """
    async with opened() as database:
        runs = [run, *(row.run_id for row in await rows_of(database, run))]
        entries = [await _named(database, link) for link in await of_runs(database, runs)]
    if not entries:
        raise InputError(f"run: the audit has no run {run[:80]!r}; give its run id, as `continuo show` prints it")
    if json:
        out.out(jsonlib.dumps(entries, indent=2))
        return 0
    for entry in entries:
        for line in _lines(entry):
            out.print(line)
    return 0


def _heads(path: str) -> list[Head]:
    lines = read_text(path, MAX_HEADS).splitlines()
    heads = []
    for number, line in enumerate(lines, 1):
        try:
            heads.append(Head.model_validate_json(line))
        except ValidationError:
            raise InputError(f"{path}:{number}: no line of `continuo audit head`; give what that has printed") from None
    return heads


def _of(heads: Sequence[Head], tenant: str) -> list[Head]:
    return [head for head in heads if head.tenant == tenant]


def _read(link: Link) -> Any:
    """The entry as it is, or what stands in its place."""
    try:
        return jsonlib.loads(link.entry)
    except ValueError:
        return link.entry


async def _named(database: Database, link: Link) -> dict[str, Any]:
    """The entry with its row's hash, and with the names of those who were not forgotten."""
    values = _read(link)
    try:
        entry = Entry.model_validate({name: value for name, value in values.items() if name != "seq"})
    except (AttributeError, ValidationError):
        message = f"run: row {link.seq} of {link.tenant} is no entry; see `continuo audit verify`"
        raise InputError(message) from None
    people = {"user_name": entry.user, "reviewer_name": entry.reviewer}
    names = {field: await name_of(database, link.tenant, one) for field, one in people.items() if one is not None}
    return {**values, **names, "hash": link.hash}


def _lines(entry: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield wrapped(f"{entry['time']}  {entry['event']}  (row {entry['seq']} of {entry['tenant']}, {entry['hash'][:12]})")
    who = {field: entry.get(f"{field}_name") or entry.get(field) for field in ("user", "reviewer")}
    facts = {
        **{name: entry.get(name) for name in ("pattern", "kind", "key")},
        **who,
        **{name: entry.get(name) for name in ("status", "verdict", "served_by", "error")},
        "models": ", ".join(entry.get("models", ())),
        "tokens": f"{entry['input_tokens']}/{entry['output_tokens']}" if "input_tokens" in entry else None,
        "cost": money(entry["cost_nanousd"] / NANO) if "cost_nanousd" in entry else None,
    }
    for name, value in facts.items():
        if value:
            yield wrapped(f"  {name}: {value}")
    for name in ("input", "output"):
        if digest := entry.get(name):
            yield wrapped(f"  {name}: {digest['length']:,} bytes, {digest['sha256']}")
    for decision in entry.get("decisions", ()):
        counts = ", ".join(f"{kind} {count}" for kind, count in decision.get("findings", {}).items())
        rule = decision.get("rule")
        why = "; ".join(part for part in (counts, rule and f"rule {rule}") if part)
        yield wrapped(f"  {decision['stage']}: {decision['action']}{f' ({why})' if why else ''}")
