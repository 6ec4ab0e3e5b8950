"""OpenAI's files."""

import re
from typing import Any, Literal

from pydantic import Field

from continuo.stores.files import StoredFile
from continuo.wire.errors import WireError
from continuo.wire.parsed import Shape

DAYS = 30
"""Days for which a file is kept, unless its caller wants it shorter."""

_OUTPUT = re.compile(r"file-([A-Za-z0-9._-]{1,100})-(output|errors)")


class Body(Shape):
    """The fields of the form beside `file`."""

    purpose: Literal["batch"]
    anchor: Literal["created_at"] | None = Field(default=None, alias="expires_after[anchor]")
    seconds: str | None = Field(default=None, alias="expires_after[seconds]", pattern=r"^[0-9]{1,8}$")

    @property
    def lifetime(self) -> float:
        """Seconds for which the file is kept. Raises `WireError` for too many or too few, or where one field lacks."""
        if self.anchor is None and self.seconds is None:
            return DAYS * 86400.0
        if self.anchor is None or not 3600 <= int(self.seconds or 0) <= DAYS * 86400:
            message = f"expires_after: write anchor created_at and 3600 to {DAYS * 86400} seconds"
            raise WireError(400, message, "expires_after", "invalid_value")
        return float(self.seconds or 0)


def response(file: StoredFile, purpose: str = "batch") -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created),
        "expires_at": int(file.expires),
        "filename": file.filename,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
    }


def output_id(batch: str, which: Literal["output", "errors"]) -> str:
    return f"file-{batch}-{which}"


def output_of(id: str) -> tuple[str, Literal["output", "errors"]] | None:
    """The batch whose results this file has, and which of them."""
    match = _OUTPUT.fullmatch(id)
    if match is None:
        return None
    return match[1], "output" if match[2] == "output" else "errors"
