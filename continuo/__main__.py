"""`continuo`, which is `python -m continuo`: the command line, ended by Ctrl-C from its first moment on."""

import os
import signal
import sys


def main() -> None:
    """Load the commands and run one; to load them takes a second."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # An exception could come up anywhere in what is loaded, be caught there or be shown.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from continuo.errors import InputError

    try:
        from continuo.starters.app import main as run
    except InputError as error:
        # A package that adds to ours is not there.
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None

    signal.signal(signal.SIGINT, handler)
    run()


if __name__ == "__main__":
    main()
