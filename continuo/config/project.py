"""A project: the nearest folder, from the working folder up, that has a `continuo.toml`."""

import os
from pathlib import Path

NAME = "continuo.toml"


def project_file() -> Path | None:
    """The `continuo.toml` that holds here; above the user's home folder none does."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        # It was removed.
        return None
    home = Path(os.environ.get("HOME", "/")).resolve()
    for folder in (here, *here.parents):
        if (folder / NAME).is_file():
            return folder / NAME
        if folder == home:
            return None
    return None


def env_file() -> Path:
    """The `.env` that holds here: the project's, or without a project the working folder's."""
    file = project_file()
    return (file.parent if file else Path()) / ".env"
