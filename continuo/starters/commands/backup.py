"""`continuo backup`: the data of the local stack in a folder, taken while it runs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from continuo.config.settings import Settings, environment
from continuo.protection.vault_key import FILE as VAULT_KEY
from continuo.starters.console.terminal import err, out
from continuo.workers.local.backup import back_up, check_local
from continuo.workers.local.manifest import TEMPORAL


def backup(
    destination: Path, /, *, data: Path | None = None, keys: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Copy what the local stack keeps to a folder, while it runs.

    Parameters
    ----------
    destination
        The folder to make; one that is there already is left alone.
    data
        The stack's data folder, as `continuo dev --data` has it.
    keys
        Copy the file of the vault's key too: who has both reads what placeholders stand for.
    """
    data = data or Settings().data
    check_local(environment(), data)
    manifest = back_up(data, destination, keys=keys)
    out.print(f"{destination}: {len(manifest.files):,} files, {manifest.bytes:,} bytes")
    if TEMPORAL not in manifest.files:
        err.print(
            f"{data} has no {TEMPORAL}: the runs are in a cluster of yours; its backup must be older than this one"
        )
    if not keys and (data / VAULT_KEY).exists():
        err.print(f"{data / VAULT_KEY} is not in it; keep that apart, or use --keys")
    return 0
