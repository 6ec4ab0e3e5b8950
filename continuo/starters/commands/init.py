"""`continuo init`: a project, made of the files that are shipped."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from continuo.config.defaults import DEFAULTS
from continuo.errors import InputError
from continuo.starters.console.terminal import out


def init(folder: Path = Path()) -> int:
    """Make a project: settings, a pattern, a catalog, tenants, guardrails, examples, a test, a Dockerfile.

    All of it is written, or nothing; no file is overwritten.

    Parameters
    ----------
    folder
        Where to make it; a new folder, or one that is there.
    """
    files = {folder / name: content for name, content in _files().items()}
    for path in files:
        if os.path.lexists(path):
            raise InputError(f"{path} exists and is not overwritten; name another folder: continuo init FOLDER")
    _write(files)
    for path in files:
        out.print(f"made {path}")
    out.print("\nnext:")
    if folder.resolve() != Path.cwd():
        out.print(f"  cd {shlex.quote(str(folder))}")
    out.print("  continuo dev       # keeps running; in another terminal:")
    out.print("  continuo run assistant --input examples/question.txt")
    return 0


def _files() -> dict[Path, bytes]:
    """What a project consists of: paths in its folder, with their content."""
    sources = {DEFAULTS / "project": Path(), DEFAULTS / "examples": Path("examples")}
    return {
        place / path.relative_to(source): path.read_bytes()
        for source, place in sources.items()
        for path in sorted(source.rglob("*"))
        # What is installed has its modules compiled beside them.
        if path.is_file() and path.parent.name != "__pycache__"
    }


def _write(files: Mapping[Path, bytes]) -> None:
    """Write new files and the folders they need, or none. Raises `InputError` where that is not possible."""
    made: list[Path] = []
    try:
        for path, content in files.items():
            for parent in reversed(path.parents):
                if not parent.is_dir():
                    parent.mkdir()
                    made.append(parent)
            with path.open("xb") as file:
                made.append(path)
                file.write(content)
    except BaseException as error:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        if not isinstance(error, OSError):
            raise
        raise InputError(f"cannot make the project: {error.filename}: {error.strerror}; name another folder") from None
