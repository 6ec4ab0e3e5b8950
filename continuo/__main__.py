"""`continuo`, which is `python -m continuo`: the command line, ended by Ctrl-C from its first moment on."""

import os
import signal


def main() -> None:
    """Load a command, which may take a second, and run it."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # An exception could come up anywhere in what is loaded, be caught there or be shown.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from continuo.starters.app import main as run

    run(lambda: signal.signal(signal.SIGINT, handler))


if __name__ == "__main__":
    main()
