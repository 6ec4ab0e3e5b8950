"""What a backup says of itself, in a file beside its copies."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from continuo.errors import InputError
from continuo.protection.vault_key import FILE as VAULT_KEY
from continuo.stores.sqlite import FILES
from continuo.text_file import read_text

NAME = "manifest.json"

MOST = 2**28
"""Bytes of a manifest: a line for each file, and there are few but for the payloads of early versions."""

TEMPORAL = "temporal.db"

CONTENT = (
    TEMPORAL, "unrecorded", FILES["store"], FILES["payloads"], "payloads", FILES["streams"], FILES["limits"],
    "cache.db", "shop.db",
)  # fmt: skip
"""What a backup copies of a data folder, SQLite files and folders, in this order.

The stack goes on meanwhile, so that what is copied later knows more. Temporal's histories name rows of the journal and
large payloads, and these name no history: so Temporal's file comes first. A row that the copied history has yet to ask
for is an answer that is there already, paid once; a history without its row would pay again, and without its payload
could not be read. A file in `unrecorded` goes when its answer is in the store: copied before the store, it is in one of
the two. The shop stands for the outside world, which knows the most.
"""


def _name(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[:1] not in {(top,) for top in (*CONTENT, VAULT_KEY)}:
        raise ValueError("no file of a backup")
    return name


class Copy(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """`taken` is when the backup began; `continuo` is the version that took it. `schemas` are the versions of the
    tables of each SQLite file, `files` the copies by their paths."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    continuo: str
    taken: AwareDatetime
    schemas: dict[str, int]
    files: dict[Annotated[str, AfterValidator(_name)], Copy]

    @property
    def bytes(self) -> int:
        return sum(copy.bytes for copy in self.files.values())


def read_manifest(backup: Path) -> Manifest:
    """Raises `InputError` where there is none, or one that this release cannot read."""
    try:
        return Manifest.model_validate_json(read_text(backup / NAME, MOST))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = f"{backup / NAME}: {where}: {first['msg']}; name a folder that `continuo backup` has made"
        raise InputError(f"{message}, with this Continuo or an older one") from None
