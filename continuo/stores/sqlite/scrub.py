"""Files of SQLite keep what was deleted until its room is used again: here it goes."""

import sqlite3
from contextlib import closing
from pathlib import Path

PATIENCE = 10.0
"""Seconds to wait for those who use the file."""


def is_scrubbed(path: Path) -> bool:
    """Write the file anew without what was deleted, and empty its log; whether others let us do both."""
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            [(busy, *_)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        return False
    return not busy
