"""A backup of a stack that may run meanwhile: copies of its files in a folder, and a manifest."""

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from tempfile import mkdtemp

from continuo import __version__
from continuo.errors import InputError
from continuo.protection.vault_key import FILE as VAULT_KEY
from continuo.protection.vault_key import VARIABLE
from continuo.stores.sqlite import FILES
from continuo.workers.local.manifest import CONTENT, NAME, Copy, Manifest

PATIENCE = 30.0
"""Seconds to wait for who has a file to itself."""


def check_local(environ: Mapping[str, str], data: Path) -> None:
    """Raises `InputError`, with what to do instead, where the stores are in a database of their own."""
    if environ.get("DATABASE_URL"):
        raise InputError(
            "DATABASE_URL: the stores are not in the data folder; copy, in this order, Temporal's database, "
            f"{data / 'unrecorded'} of each host, the database of DATABASE_URL with pg_dump, and {VARIABLE} or "
            f"{data / VAULT_KEY}"
        )


def back_up(data: Path, destination: Path, *, keys: bool) -> Manifest:
    """Copy what the stack keeps in `data` to the new folder `destination`, with the file of the vault's key if `keys`.

    The folder appears when it is whole. Raises `InputError` where there is nothing to copy, `destination` is there
    already, or it cannot be written; then nothing is left of it.
    """
    if os.path.lexists(destination):
        raise InputError(f"{destination} is there already; name a folder that is not")
    if not (data / FILES["store"]).exists():
        raise InputError(f"no stack keeps data in {data}; name its folder with --data DIR")
    try:
        draft = Path(mkdtemp(prefix=f".{destination.name}-", suffix=".partial", dir=destination.parent))
        try:
            manifest = _copied(data, draft, keys=keys)
            (draft / NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
            _flush(draft / NAME)
            _flush(draft)
            draft.rename(destination)
            _flush(destination.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except (OSError, sqlite3.Error) as error:
        fix = "make room there, or name another folder; `continuo doctor` looks whether the data is sound"
        raise InputError(f"cannot copy {data} to {destination}: {error}; {fix}") from None
    return manifest


def _copied(data: Path, draft: Path, *, keys: bool) -> Manifest:
    taken, schemas = datetime.now(UTC), {}
    for name in CONTENT:
        source = data / name
        if source.is_dir():
            _copy_folder(source, draft / name)
        elif source.exists():
            schemas[name] = _copy_database(source, draft / name)
    if keys and (data / VAULT_KEY).exists():
        shutil.copy(data / VAULT_KEY, draft / VAULT_KEY)
    paths = [path for path in sorted(draft.rglob("*")) if path.is_file()]
    files = {path.relative_to(draft).as_posix(): _described(path) for path in paths}
    return Manifest(continuo=__version__, taken=taken, schemas=schemas, files=files)


def _copy_database(source: Path, target: Path) -> int:
    """Copy the file as it is at one moment, while others write. The version of its tables."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        # In one step, page by page: in several it would begin anew whenever somebody has written in between.
        live.backup(copy)
        version: int = copy.execute("PRAGMA user_version").fetchone()[0]
    return version


def _copy_folder(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        # It may be in the store by now.
        with suppress(FileNotFoundError):
            if path.is_file():
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)


def _described(path: Path) -> Copy:
    _flush(path)
    with path.open("rb") as file:
        return Copy(bytes=path.stat().st_size, sha256=file_digest(file, "sha256").hexdigest())


def _flush(path: Path) -> None:
    """Have the file, or the names in the folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
