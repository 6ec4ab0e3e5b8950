"""Where the local stack listens."""

import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from errno import EADDRINUSE
from random import SystemRandom

from continuo.errors import InputError

QUIET = range(20_000, 32_000)
"""Ports that the system gives to no connection, which could have one before the process that it was found for."""

BACKLOG = 2048
"""Connections that wait to be accepted, as while a gateway is started again."""


@dataclass(frozen=True)
class Ports:
    """Where the stack listens, on loopback; 0 is any free port. `metrics` is that of the first pool, and the others
    have the next ones."""

    temporal: int = 7233
    ui: int = 8233
    sim: int = 8377
    shop: int = 8378
    gateway: int = 8379
    metrics: int = 8380

    def taken_as_free(self, *, temporal: bool) -> "Ports":
        """The same ports with each 0 replaced. Raises `InputError` naming a port that is taken, and its option."""
        wanted = {"sim": self.sim, "shop": self.shop}
        if temporal:
            wanted |= {"temporal": self.temporal, "ui": self.ui}
        with ExitStack() as listeners:
            # All are held until the last is found, so that no two are the same.
            listeners_by_name = {name: listeners.enter_context(listening(port, name)) for name, port in wanted.items()}
            return replace(self, **{name: listener.getsockname()[1] for name, listener in listeners_by_name.items()})


def listening(port: int, name: str) -> socket.socket:
    """A socket that listens there, 0 being any free port. Raises `InputError` naming a port that is taken, and its
    option."""
    if port == 0:
        # Of the system's own randomness, since processes with the same seed are not to choose the same.
        *others, last = SystemRandom().sample(QUIET, 20)
        for one in others:
            with suppress(InputError):
                return listening(one, name)
        return listening(last, name)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == EADDRINUSE
        reason = "is taken; end what listens there, or" if taken else f"cannot be used ({error});"
        option = "--port" if name == "temporal" else f"--{name}-port"
        raise InputError(f"port {port} ({name}) {reason} choose another with {option}") from None
    return listener
