"""`continuo distill`: past runs as a set of examples for fine-tuning."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, get_args

from pydantic import Field

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.config.settings import Settings, environment
from continuo.data import Data, Number
from continuo.errors import InputError
from continuo.operations.distilled import Card, Part, part_of, texts
from continuo.operations.runs import RunQuery
from continuo.starters.console.terminal import err, out
from continuo.starters.store import opened
from continuo.stores.opened import opened_payloads
from continuo.stores.runs import Runs
from continuo.stores.turns import Turns
from continuo.wire.training import TrainingForm, line

CARD = "README.md"
PARTS: tuple[Part, ...] = get_args(Part)


class Shares(Data):
    """`validation` is that of the examples that a model is not to learn from, and `near` that of all sequences of three
    words which two of them have in common at least that are nearly the same."""

    validation: Annotated[Number, Field(ge=0, le=0.5)] = 0.1
    near: Annotated[Number, Field(ge=0.5, le=1)] = 0.9


async def distill(
    folder: Path,
    *,
    pattern: str | None = None,
    tenant: str | None = None,
    model: str | None = None,
    since: str | None = None,
    limit: int = 10_000,
    form: TrainingForm = "openai",
    validation: float = 0.1,
    near: float = 0.9,
) -> int:
    """Write the answers of past runs as examples for fine-tuning, without personal data and secrets, and a card that
    says what they are.

    Parameters
    ----------
    folder
        A new one: train.jsonl, validation.jsonl and README.md are written there.
    pattern
        Of this pattern alone, by the name it was started by.
    tenant
        Of this tenant alone.
    model
        Answers of this model alone, by its id.
    since
        Of runs that began at most this long ago, such as 30d, or on this day or later, such as 2026-11-21 (UTC).
    limit
        Look at so many runs at most, the newest.
    form
        How a line is written: openai (messages and tools), anthropic (as Bedrock takes it), chat (role and content).
    validation
        The share of the questions that is kept for validation.
    near
        Leave out what is as much like a newer example: 0.9 is 90 % of their sequences of three words in common.
    """
    from continuo.door.collecting import collect
    from continuo.door.distilling import Distilling
    from continuo.operations.near import Near
    from continuo.temporal.connect import connect
    from continuo.temporal.namespace import namespace_of

    query = validated(RunQuery, status="done", pattern=pattern, tenant=tenant, since=since, limit=limit)
    shares, card, library = validated(Shares, validation=validation, near=near), Card(), Library()
    known = Near(shares.near)
    async with AsyncExitStack() as resources:
        database = await resources.enter_async_context(opened())
        client = await connect()
        namespace = (await namespace_of(client)).id
        await collect(client, Runs(database, namespace))
        payloads = await resources.enter_async_context(opened_payloads(Settings(), environment()))
        distilling = Distilling(client, library, Turns(payloads, namespace), card)
        draft = resources.enter_context(_moved_to(folder))
        files = resources.enter_context(_written(draft))
        async for row, (end, example, replaced) in distilling.examples(database, query, model):
            written = line(example, form)
            if written is None:
                card.dropped[f"has no place in the form {form}"] += 1
            elif not card.is_new(example):
                card.dropped["a duplicate"] += 1
            elif not known.is_new(texts(example)):
                card.dropped["nearly a duplicate"] += 1
            else:
                part = part_of(example, shares.validation)
                files[part].write(library.data_masker.json(json.dumps(written, ensure_ascii=False)) + "\n")
                card.keep(row, end, example, replaced, part)
        wanted = {"form": form, "pattern": pattern, "tenant": tenant, "model": model, "since": since, "limit": limit}
        text = card.markdown(datetime.now(UTC), {**wanted, "near": near})
        (draft / CARD).write_text(text, encoding="utf-8")
    parts = " and ".join(f"{card.parts[part]:,} for {part}" for part in PARTS)
    out.print(f"{parts}; {card.dropped.total():,} runs were left out: see {folder / CARD}")
    if not card.parts.total():
        err.print("warning: there are no examples; ask for other runs")
    return 0


@contextmanager
def _moved_to(folder: Path) -> Iterator[Path]:
    """A draft of the folder, which becomes that at the end; nothing of it stays after an error.

    Raises `InputError` where the folder is not new, or cannot be written.
    """
    if folder.exists():
        raise InputError(f"folder: {folder} is there; name a new one")
    place = next(one for one in folder.absolute().parents if one.exists())
    draft = place / f".{folder.name}.{os.getpid()}"
    try:
        with _writing(folder):
            draft.mkdir()
        yield draft
        with _writing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"folder: cannot write {folder}: {error.strerror}; name another one") from None


@contextmanager
def _written(folder: Path) -> Iterator[Mapping[Part, IO[str]]]:
    """The file of each part."""
    with ExitStack() as files:
        yield {part: files.enter_context((folder / f"{part}.jsonl").open("w", encoding="utf-8")) for part in PARTS}
