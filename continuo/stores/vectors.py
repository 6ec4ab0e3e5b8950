"""Embeddings of what was asked, compared one by one: right, and quick enough for some thousands."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from continuo.jobs import Outcome

# numpy is imported where it is needed: it takes longer to load than all else that a worker without it needs.
if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vectors32 = NDArray[float32]

MOST = 10_000
"""Entries of one family that are compared, the newest ones."""

KEPT = 2 * MOST
"""Embeddings in memory; of more, the families that were asked for least recently go, to be read again."""


class StoredEmbedding(NamedTuple):
    """What the entry `key` was asked for, `packed`. A later entry has a greater `number`."""

    number: int
    key: str
    embedding: bytes


class Vectors:
    """Reads each embedding once. What other processes added is read before, and what is gone is noticed when found.

    `newer` yields the embeddings of a family, of that size in bytes, after the last number known, in ascending order;
    more than the newest `MOST` are of no use. `find` is the answer kept under a key.
    """

    def __init__(
        self,
        newer: Callable[[str, int, int, float], AsyncIterator[StoredEmbedding]],
        find: Callable[[str, float], Awaitable[Outcome | None]],
    ) -> None:
        self._newer = newer
        self._find = find
        self._families: OrderedDict[tuple[str, int], Family] = OrderedDict()

    async def nearest(self, family: str, embedding: bytes, threshold: float, now: float) -> Outcome | None:
        """The answer to what is most like `embedding` (see `packed`), if their cosine is at least `threshold`."""
        known = await self._current(family, len(embedding), now)
        for row, key in await asyncio.to_thread(known.like, embedding, threshold):
            if (outcome := await self._find(key, now)) is not None:
                return outcome
            await asyncio.to_thread(known.drop, row, key)
        return None

    async def _current(self, family: str, size: int, now: float) -> "Family":
        # Another model's embeddings, of another length, say nothing about this one.
        name = (family, size)
        known = self._families.setdefault(name, Family(size))
        self._families.move_to_end(name)
        # Many that ask at once after a start read it once, together.
        async with known.reading:
            if new := [one async for one in self._newer(family, size, known.last, now)]:
                await asyncio.to_thread(known.add, new)
        if not known.keys:
            self._families.pop(name, None)
        while sum(len(one.keys) for one in self._families.values()) > KEPT:
            self._families.popitem(last=False)
        return known


class Family:
    """The newest `MOST` embeddings of one family: a matrix that grows, and then has its oldest row replaced.

    Its methods are for threads: thousands of embeddings take longer than an event loop may wait.
    """

    def __init__(self, size: int) -> None:
        self.reading = asyncio.Lock()
        self.keys: list[str] = []
        self.last = 0
        self._size = size
        self._added = 0
        self._matrix: Vectors32 | None = None
        self._lock = Lock()

    def add(self, new: Iterable[StoredEmbedding]) -> None:
        import numpy

        with self._lock:
            matrix = numpy.zeros((0, self._size // 4), dtype=numpy.float32) if self._matrix is None else self._matrix
            for one in new:
                row = self._added % MOST
                if row == len(matrix):
                    grown = numpy.zeros((min(MOST, 2 * row or 8), matrix.shape[1]), dtype=numpy.float32)
                    grown[:row] = matrix
                    self._matrix = matrix = grown
                matrix[row] = numpy.frombuffer(one.embedding, dtype=numpy.float32)
                self.keys[row : row + 1] = [one.key]
                self.last = one.number
                self._added += 1

    def like(self, embedding: bytes, threshold: float) -> list[tuple[int, str]]:
        """Rows and keys of what is at least that similar, the most similar first."""
        import numpy

        with self._lock:
            if self._matrix is None:
                return []
            similarity = self._matrix[: len(self.keys)] @ numpy.frombuffer(embedding, dtype=numpy.float32)
            near = numpy.flatnonzero(similarity >= threshold)
            return [(int(row), self.keys[row]) for row in near[numpy.argsort(-similarity[near])]]

    def drop(self, row: int, key: str) -> None:
        """Forget a row that was `key`'s, and may be another's by now. Nothing is like zero."""
        with self._lock:
            if self._matrix is not None and self.keys[row] == key:
                self._matrix[row] = 0


def packed(embedding: Sequence[float]) -> bytes:
    """A vector of length one in the same direction, as 32-bit floats: the product of two is their cosine."""
    import numpy

    vector = numpy.asarray(embedding, dtype=numpy.float32)
    return bytes((vector / (numpy.linalg.norm(vector) or 1.0)).astype(numpy.float32).tobytes())
