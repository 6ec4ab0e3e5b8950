"""The items of a golden set: those of a batch, with what a right answer says."""

import json
from hashlib import sha256
from typing import NamedTuple

from continuo.authoring.golden_sets import SetFile
from continuo.authoring.prepare import validated
from continuo.door.request import Request
from continuo.errors import InputError
from continuo.evaluation.examples import Example
from continuo.starters.batch_items import read_fields

OF_EXAMPLES = ("expected", "any_of", "rubric", "tags")
"""What an item has beside the fields of a batch's."""


class GoldenItem(NamedTuple):
    """An item with the number of its line. Its `request` has no pattern yet."""

    line: int
    request: Request
    example: Example


def read_golden(file: SetFile) -> list[GoldenItem]:
    """All items of a set. One without an `id` is called by the digest of its input, so that it is known again wherever
    it stands.

    Raises `InputError` with the line of what is wrong, or lacks what a score of the set needs.
    """
    path = file.items
    if path.suffix not in (".jsonl", ".ndjson"):
        raise InputError(f"{path}: the items of a golden set are JSONL; name a file that ends with .jsonl")
    items, lines = list[GoldenItem](), dict[str, int]()
    for line, fields in read_fields(path, OF_EXAMPLES):
        try:
            item = _item(line, fields)
            for scorer in file.golden_set.scores:
                scorer.check(item.example)
        except InputError as error:
            raise InputError(f"{path}:{line}: {error}") from None
        if (first := lines.setdefault(item.example.id, line)) != line:
            what = f"{path}:{line}: the item has the input, or the id, of line {first}"
            raise InputError(f"{what}; give each an id of its own, or remove one")
        items.append(item)
    if not items:
        raise InputError(f'{path} has no items; write one a line, such as {{"prompt": "…", "expected": "…"}}')
    return items


def _item(line: int, fields: dict[str, object]) -> GoldenItem:
    own = {name: value for name, value in fields.items() if name not in OF_EXAMPLES}
    request = validated(Request, pattern="", **own)
    id = request.id or sha256(request.model_dump_json().encode()).hexdigest()[:12]
    of_example = {name: value for name, value in fields.items() if name in OF_EXAMPLES}
    return GoldenItem(line, request, validated(Example, id=id, prompt=_prompt(request), **of_example))


def _prompt(request: Request) -> str:
    if request.prompt is None and not request.messages:
        return json.dumps(request.data, ensure_ascii=False)
    return next((turn.text for turn in reversed(request.turns) if turn.role == "user"), "")
