"""What a store's backend offers. Each is a folder in a room `stores`, chosen by the scheme of a URL."""

from contextlib import AbstractAsyncContextManager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import urlsplit

from continuo.errors import InputError
from continuo.extensions import defined, modules
from continuo.stores.cache import Cache
from continuo.stores.database import Database
from continuo.stores.limits import LimitStore
from continuo.stores.migrations import Part
from continuo.stores.streams import StreamLog


class Backend:
    """Base of every backend, which is one class in its folder's `__init__.py` and implements what it offers.

    That file loads no driver; a method does, when something is opened. `schemes` are those of its URLs.
    A `shared` one has every part of the store in the one database that its URL names.
    """

    schemes: frozenset[str] = frozenset()
    shared: bool = True

    def database(self, url: str, part: Part) -> Database:
        """A database with the tables of `part`. Raises `InputError` where it cannot be used."""
        raise NotImplementedError

    def cache(self, url: str) -> Cache:
        """The cache of answers. Raises `InputError` for a URL that is none."""
        raise NotImplementedError

    def limits(self, url: str) -> AbstractAsyncContextManager[LimitStore]:
        """What is used of the limits, where a database does not keep it. Raises `InputError` as `cache` does."""
        raise NotImplementedError

    def streams(self, url: str, kept: float) -> AbstractAsyncContextManager[StreamLog]:
        """The stream log, which keeps a run for so many seconds. Raises `InputError` as `database` and `cache` do."""
        raise NotImplementedError

    def scrub(self, url: str) -> tuple[str, ...]:
        """Leave nothing in the store's files of what was deleted, while others use them; the names of those of which
        that could not be done now. What a server keeps on its disk is not ours to say."""
        return ()

    def errors(self) -> tuple[type[Exception], ...]:
        """What its driver raises where the store cannot be used."""
        return ()


def backend(variable: str, url: str, offering: str) -> Backend:
    """The backend that has `url`, the value of `variable`, and implements the method `offering`.

    Raises `InputError` where there is none.
    """
    able = [one for one in _backends() if offers(one, offering)]
    for one in able:
        if url.partition(":")[0].lower() in one.schemes:
            return one
    known = ", ".join(sorted(scheme for one in able for scheme in one.schemes))
    # What it says instead is not shown: it may hold a password.
    raise InputError(f"{variable}: not the URL of a store; write one that begins with a scheme of these: {known}")


def offers(one: Backend, offering: str) -> bool:
    """Whether the backend implements the method `offering`."""
    return getattr(type(one), offering) is not getattr(Backend, offering)


def address(url: str) -> str:
    """The URL without its password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@cache
def _backends() -> tuple[Backend, ...]:
    folders = [name for name in modules("stores") if (spec := find_spec(name)) and spec.submodule_search_locations]
    return tuple(kind() for name in folders for kind in defined(import_module(name), Backend))
