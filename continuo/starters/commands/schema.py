"""`continuo schema`: the JSON schema of a pattern file, or of a golden set, for editors."""

import json
from typing import Any, Literal

from continuo.authoring.files import NamedPattern
from continuo.data import MAX_SECONDS, Data
from continuo.starters.console.terminal import out

_READ_AS_DURATION = [{"type": "number"}, {"type": "string"}]
_DURATION = [
    {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_SECONDS},
    {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)\s*$"},
]


def schema(of: Literal["pattern", "golden-set"] = "pattern") -> int:
    """Print the JSON schema of a pattern file, with which an editor completes and checks it.

    Parameters
    ----------
    of
        Or that of a golden set.
    """
    out.out(json.dumps(pattern_schema() if of == "pattern" else golden_set_schema(), indent=2))
    return 0


def pattern_schema() -> dict[str, Any]:
    """The schema of a file in `patterns/`, draft 2020-12."""
    return _schema(NamedPattern, "pattern")


def golden_set_schema() -> dict[str, Any]:
    """The same of a file in `evals/`."""
    # It knows of every score, which a pattern's does without.
    from continuo.evaluation.golden_set import GoldenSet

    return _schema(GoldenSet, "golden set")


def _schema(kind: type[Data], name: str) -> dict[str, Any]:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:continuo:{name.replace(' ', '-')}"}
    return {**head, **_for_people(kind.model_json_schema()), "title": f"Continuo {name}"}


def _for_people(part: Any) -> Any:
    """What pydantic generates, made as strict as the files are: durations have a form, and a kind is always written."""
    if isinstance(part, list):
        return [_for_people(item) for item in part]
    if not isinstance(part, dict):
        return part
    if (choices := part.get("anyOf", []))[:2] == _READ_AS_DURATION:
        result = "Seconds, or a number and a unit: 500ms, 30s, 5m, 1h, 1d."
        return {**part, "anyOf": [*_DURATION, *choices[2:]], "description": result}
    changed = {name: _for_people(item) for name, item in part.items()}
    if "const" in part.get("properties", {}).get("kind", {}):
        changed["required"] = ["kind", *changed.get("required", [])]
    return changed
