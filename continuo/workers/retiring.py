"""What a pool or a gateway tells at its start of models that retire."""

from contextlib import suppress

import structlog

from continuo.authoring.library import Library
from continuo.authoring.retiring import soon
from continuo.errors import InputError

log = structlog.get_logger()


def warn(library: Library) -> None:
    """Tell the log of each that retires soon. What is wrong with the files is told to those who need them."""
    with suppress(InputError):
        for one in soon(library):
            log.warning("a model retires", model=one.model, retires=str(one.day), what=str(one))
