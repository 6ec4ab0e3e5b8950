"""Where the repository is: its pages, its Makefile and its tests' own files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
