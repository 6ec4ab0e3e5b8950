"""Past runs as items of a golden set."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from continuo.authoring.golden_sets import SetFile
from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.messages import ModelRequest
from continuo.parameters import UNSEEN, Parameters
from continuo.protection.masking import Masker
from continuo.starters.batch_items import read_fields
from continuo.starters.evaluation.items import OF_EXAMPLES
from continuo.starters.evaluation.saved import write

if TYPE_CHECKING:
    from continuo.door.inspection import Recorded

Fields = dict[str, Any]


def captured(run: "Recorded", *, expect_answer: bool, tags: Sequence[str]) -> Fields:
    """An item that asks what the run was asked, with its answer as what is expected, if that is right.

    Raises `InputError` where it cannot be asked again by its text alone, or has no answer that is wanted.
    """
    request = run.job.request
    if request.media or request.earlier is not None:
        what = "media" if request.media else "earlier turns of a conversation"
        raise InputError(f"run {run.id} was given {what}, which an item has not; capture another one")
    item: Fields = {"id": run.id, **_input(request)}
    if run.job.data:
        item["data"] = run.job.data
    if expect_answer:
        if not isinstance(run.end, Outcome):
            raise InputError(f"run {run.id} has no answer to expect; leave out --expect-answer, and write it yourself")
        item["expected"] = run.end.text
    return {**item, **({"tags": list(tags)} if tags else {})}


def add(file: SetFile, items: Sequence[Fields], masker: Masker) -> int:
    """Append those whose ids the file does not have yet, without secrets; how many they are. Raises `InputError`."""
    path = file.items
    known = [fields.get("id") for _, fields in read_fields(path, OF_EXAMPLES)] if path.exists() else []
    new = {item["id"]: item for item in items if item["id"] not in known}
    if new:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        between = "" if before.endswith("\n") or not before else "\n"
        lines = (masker.json(json.dumps(item, ensure_ascii=False)) + "\n" for item in new.values())
        write(path, before + between + "".join(lines))
    return len(new)


def _input(request: ModelRequest) -> Fields:
    own = request.model_dump(mode="json", exclude_defaults=True)
    parameters = {name: value for name, value in own.items() if name in Parameters.model_fields.keys() - UNSEEN}
    [*before, last] = own["messages"]
    if before or last["role"] != "user" or not isinstance(last.get("content", ""), str):
        said: Fields = {"messages": own["messages"]}
    else:
        said = {"prompt": last.get("content", "")}
    system = {"system": request.system} if request.system is not None else {}
    return {**said, **system, **({"parameters": parameters} if parameters else {})}
