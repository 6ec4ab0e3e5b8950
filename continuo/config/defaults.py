"""Where the files are that are shipped: beside this module, in a clone and where the wheel is installed alike."""

from pathlib import Path

DEFAULTS = Path(__file__).resolve().parent.parent / "defaults"
