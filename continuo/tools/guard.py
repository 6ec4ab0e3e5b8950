"""Runs a server of tools and ends it, with all that it started, when the process that wanted it is gone.

Run as a script: `guard.py DESCRIPTOR COMMAND…`, where nobody else has the other end of the pipe DESCRIPTOR.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> None:
    descriptor = int(sys.argv[1])
    try:
        child = subprocess.Popen(sys.argv[2:])
    except OSError as error:
        print(f"cannot start {sys.argv[2]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)
    # Only the server itself reads and writes: its ends are seen when it closes them.
    for own in (0, 1):
        os.close(own)

    def watch() -> None:
        os.read(descriptor, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    os._exit(child.wait() & 0xFF)


if __name__ == "__main__":
    main()
