"""A tool as a server lists it, and what counts as another one."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import JsonValue

from continuo.data import Data
from continuo.decisions.json_schema import misfit
from continuo.errors import ProviderError
from continuo.tools.limits import MAX_DEFINITION


class Tool(Data):
    """`definition` is all that the server says of it, as canonical JSON with sorted keys, one value a line.

    `read_only` and `idempotent` are the server's word that it may be called again when an answer was lost.
    """

    server: str
    name: str
    description: str
    input_schema: dict[str, JsonValue]
    annotations: dict[str, JsonValue]
    definition: str

    @property
    def digest(self) -> str:
        return digest(self.definition)

    @property
    def repeatable(self) -> bool:
        return any(self.annotations.get(hint) is True for hint in ("readOnlyHint", "idempotentHint"))

    def check(self, arguments: Mapping[str, JsonValue]) -> None:
        """Raise `ProviderError` for arguments that are not as its schema says."""
        where = f"{self.server}: tool {self.name!r}"
        try:
            wrong = misfit(dict(arguments), self.input_schema)
        except ValueError as broken:
            raise ProviderError("invalid_response", f"{where}: {broken}") from None
        if wrong is not None:
            raise ProviderError("invalid_request", f"{where}: {wrong}")


def digest(definition: str) -> str:
    """Sixteen hexadecimal digits."""
    return sha256(definition.encode()).hexdigest()[:16]


def tool_of(server: str, listed: Any) -> Tool:
    """The tool that the server listed so. Raises `ProviderError` for one that is too large."""
    fields = listed.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"icons", "meta"})
    definition = json.dumps(fields, indent=1, sort_keys=True, ensure_ascii=False)
    if len(definition) > MAX_DEFINITION:
        what = f"the definition of tool {listed.name[:80]!r} has more than {MAX_DEFINITION:,} characters"
        raise ProviderError("invalid_response", f"{server}: {what}")
    return Tool(
        server=server,
        name=listed.name,
        description=fields.get("description", ""),
        input_schema=fields["inputSchema"],
        annotations=fields.get("annotations", {}),
        definition=definition,
    )
