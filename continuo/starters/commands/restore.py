"""`continuo restore`: a backup in the empty data folder of a stack that does not run."""

from pathlib import Path

from continuo.config.settings import Settings, environment
from continuo.protection.vault_key import FILE as VAULT_KEY
from continuo.protection.vault_key import VARIABLE
from continuo.starters.console.terminal import err, out
from continuo.workers.local import restore as local
from continuo.workers.local.backup import check_local


def restore(source: Path, /, *, data: Path | None = None) -> int:
    """Put a backup into the empty data folder of a stack that does not run.

    Parameters
    ----------
    source
        A folder that `continuo backup` has made.
    data
        The data folder, as `continuo dev --data` is to have it.
    """
    data = data or Settings().data
    check_local(environment(), data)
    manifest = local.restore(source, data)
    out.print(f"{data}: {len(manifest.files):,} files, {manifest.bytes:,} bytes, as of {manifest.taken:%F %T %Z}")
    if VAULT_KEY not in manifest.files:
        err.print(f"no {VAULT_KEY} was in it; put that of the former folder there, if it had one and no {VARIABLE}")
    return 0
