"""A small document that fits a JSON schema."""

import math
from typing import Any

_FORMATS = {
    "date": "2026-01-01",
    "time": "12:00:00Z",
    "date-time": "2026-01-01T12:00:00Z",
    "duration": "PT1S",
    "email": "simulated@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEP = 8
"""From this depth on a schema that holds itself is left by its emptiest way."""


def example(schema: dict[str, Any]) -> Any:
    """The required properties, one item, the first alternative, a number within its bounds.

    References within the schema are followed; `pattern`, `multipleOf`, `uniqueItems` and `allOf` are not looked at.
    Gemini's own schemas, with types in capitals, are understood too.
    """
    return _example(schema, schema, 0)


def _example(schema: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    if "$ref" in schema:
        return _example(_resolved(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _example(schema[union][0 if depth < _DEEP else -1], root, depth + 1)
    kind = schema.get("type", "array" if "items" in schema else "object")
    match (kind[0] if isinstance(kind, list) else kind).lower():
        case "object":
            properties = schema.get("properties", {})
            names = schema.get("required", [] if depth >= _DEEP else properties)
            return {name: _example(properties.get(name, {}), root, depth + 1) for name in names}
        case "array":
            if "prefixItems" in schema:
                return [_example(item, root, depth + 1) for item in schema["prefixItems"]]
            wanted = 1 if depth < _DEEP else 0
            count = max(int(schema.get("minItems", 0)), min(wanted, int(schema.get("maxItems", wanted))))
            return [_example(schema.get("items", {}), root, depth + 1) for _ in range(count)]
        case "string":
            text = _FORMATS.get(schema.get("format", ""), "simulated")
            return text.ljust(int(schema.get("minLength", 0)), ".")[: schema.get("maxLength")]
        case "integer":
            return _integer(schema)
        case "number":
            return _number(schema)
        case "boolean":
            return True
        case _:
            return None


def _resolved(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    node = root
    for name in reference.removeprefix("#").strip("/").split("/"):
        node = node[name.replace("~1", "/").replace("~0", "~")] if name else node
    return node


def _integer(schema: dict[str, Any]) -> int:
    bounds: dict[str, float] = schema
    if "minimum" in bounds:
        return math.ceil(bounds["minimum"])
    if "exclusiveMinimum" in bounds:
        return math.floor(bounds["exclusiveMinimum"]) + 1
    if "maximum" in bounds:
        return math.floor(bounds["maximum"])
    return math.ceil(bounds.get("exclusiveMaximum", 1)) - 1


def _number(schema: dict[str, Any]) -> float:
    low: float | None = schema.get("minimum", schema.get("exclusiveMinimum"))
    high: float | None = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None:
        return 0 if high is None else high - 1
    return low + 1 if high is None else (low + high) / 2
