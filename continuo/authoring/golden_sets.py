"""Golden sets: one YAML file each, beside the file of its items."""

from pathlib import Path
from typing import NamedTuple

from continuo.authoring.files import is_file, load_yaml
from continuo.errors import InputError, unknown
from continuo.evaluation.golden_set import GoldenSet


class SetFile(NamedTuple):
    """A golden set, and where it is."""

    path: Path
    golden_set: GoldenSet

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def items(self) -> Path:
        return self.path.parent / self.golden_set.items

    def saved(self, name: str) -> Path:
        """The file of the results that are saved by this name."""
        return self.path.parent / "results" / self.name / f"{name}.json"


def set_files(folder: Path) -> dict[str, Path]:
    """The files by the names of their sets. Raises `InputError` where there is no such folder."""
    if not folder.is_dir():
        advice = "make it, or set CONTINUO_EVALS, or evals in continuo.toml"
        raise InputError(f"no folder of golden sets at {folder}; {advice}")
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_set(name: str, folder: Path) -> SetFile:
    """The set of this name in the folder, or that of a YAML file. Raises `InputError` with the file, the line, the
    field and the fix."""
    if is_file(name):
        path = Path(name)
    else:
        files = set_files(folder)
        if name not in files:
            raise unknown("golden set", name, files)
        path = files[name]
    return SetFile(path, load_yaml(path, GoldenSet))
