"""A backup, put into the empty data folder of a stack that does not run."""

import shutil
from collections.abc import Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from tempfile import mkdtemp

from continuo.errors import InputError
from continuo.protection.vault_key import FILE as VAULT_KEY
from continuo.stores.database import pending
from continuo.stores.migrations import PARTS
from continuo.stores.sqlite import FILES
from continuo.stores.sqlite.cache import CACHE
from continuo.workers.local.data_folder import LOCK, held
from continuo.workers.local.manifest import CONTENT, Copy, Manifest, read_manifest

MIGRATIONS: Mapping[str, Sequence[str]] = {**{FILES[part]: PARTS[part] for part in PARTS}, "cache.db": CACHE}


def restore(backup: Path, data: Path) -> Manifest:
    """Put what is in the folder `backup` into `data`; tables of an older release are brought up to date when they are
    opened.

    Raises `InputError` for a backup that is damaged or of a newer release, and for a folder that is in use, not empty
    or cannot be written; nothing is in it then.
    """
    manifest = read_manifest(backup)
    for name, migrations in MIGRATIONS.items():
        try:
            list(pending(manifest.schemas.get(name, 0), migrations))
        except InputError as error:
            raise InputError(f"{backup / name}: {error}") from None
    with held(data):
        if {path.name for path in data.iterdir()} - {LOCK}:
            raise InputError(f"{data} is not empty; move what is in it away, or choose --data DIR")
        try:
            _put(backup, data, manifest)
        except BaseException as error:
            _empty(data)
            if isinstance(error, OSError):
                message = f"cannot copy {backup} to {data}: {error}"
                raise InputError(f"{message}; make room there, or choose --data DIR") from None
            raise
    return manifest


def _put(backup: Path, data: Path, manifest: Manifest) -> None:
    draft = Path(mkdtemp(prefix=".restoring-", dir=data))
    for name, copy in manifest.files.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(backup / name, draft / name)
        _check(draft / name, copy, backup / name)
    # Temporal's file comes last: whoever is killed before leaves no run that lacks what it needs.
    for name in (VAULT_KEY, *reversed(CONTENT)):
        if (draft / name).exists():
            (draft / name).rename(data / name)
    draft.rmdir()


def _check(path: Path, copy: Copy, original: Path) -> None:
    """What was copied is looked at, and no file that may change after."""
    with path.open("rb") as file:
        if path.stat().st_size == copy.bytes and file_digest(file, "sha256").hexdigest() == copy.sha256:
            return
    raise InputError(f"{original}: it is not what the manifest says, so the backup is damaged; take another one")


def _empty(data: Path) -> None:
    for path in data.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            path.unlink()
