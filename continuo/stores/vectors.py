"""Embeddings of what was asked, compared one by one: right, and quick enough for some thousands."""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from continuo.stores.database import Database

# numpy is imported where it is needed: it takes longer to load than all else that a worker without it needs.
if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vectors32 = NDArray[float32]

MOST = 10_000
"""Entries of one family that are compared, the newest ones."""

KEPT = 2 * MOST
"""Embeddings in memory; of more, the families that were asked for least recently go, to be read again."""

_NEW = """
    SELECT number, key, embedding FROM entries
    WHERE family = ? AND number > ? AND embedding IS NOT NULL AND length(embedding) = ? AND expires > ?
    ORDER BY number DESC LIMIT ?
"""


class Vectors:
    """Reads each embedding once. What other processes added is read before, and what is gone is noticed when found."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._families: OrderedDict[tuple[str, int], Family] = OrderedDict()

    def nearest(self, family: str, embedding: bytes, threshold: float, now: float) -> str | None:
        """The key of the entry most like `embedding` (see `packed`), if their cosine is at least `threshold`."""
        known = self._current(family, len(embedding), now)
        for row, key in known.like(embedding, threshold):
            if self._database.read("SELECT 1 FROM entries WHERE key = ? AND expires > ?", (key, now)):
                return key
            known.drop(row)
        return None

    def _current(self, family: str, size: int, now: float) -> "Family":
        # Another model's embeddings, of another length, say nothing about this one.
        name = (family, size)
        known = self._families.pop(name, None) or Family(size)
        # A number is given under the write lock, so that none appears after a greater one was seen.
        for row in reversed(self._database.read(_NEW, (family, known.last, size, now, MOST))):
            known.add(row["number"], row["key"], row["embedding"])
        if known.keys:
            self._families[name] = known
        while sum(len(one.keys) for one in self._families.values()) > KEPT:
            self._families.popitem(last=False)
        return known


class Family:
    """The newest `MOST` embeddings of one family: a matrix that grows, and then has its oldest row replaced."""

    def __init__(self, size: int) -> None:
        import numpy

        self.keys: list[str] = []
        self.last = 0
        self._added = 0
        self._matrix: Vectors32 = numpy.zeros((0, size // 4), dtype=numpy.float32)

    def add(self, number: int, key: str, embedding: bytes) -> None:
        import numpy

        row = self._added % MOST
        if row == len(self._matrix):
            grown = numpy.zeros((min(MOST, 2 * row or 8), self._matrix.shape[1]), dtype=numpy.float32)
            grown[:row] = self._matrix
            self._matrix = grown
        self._matrix[row] = numpy.frombuffer(embedding, dtype=numpy.float32)
        self.keys[row : row + 1] = [key]
        self.last = number
        self._added += 1

    def like(self, embedding: bytes, threshold: float) -> Iterator[tuple[int, str]]:
        """Rows and keys of what is at least that similar, the most similar first."""
        import numpy

        similarity = self._matrix[: len(self.keys)] @ numpy.frombuffer(embedding, dtype=numpy.float32)
        near = numpy.flatnonzero(similarity >= threshold)
        for row in near[numpy.argsort(-similarity[near])]:
            yield int(row), self.keys[row]

    def drop(self, row: int) -> None:
        """Nothing is like zero."""
        self._matrix[row] = 0


def written(embedding: Sequence[float]) -> str:
    """An embedding as a text, of 8 KB for 1,536 dimensions: base64 of `packed`."""
    return b64encode(packed(embedding)).decode()


def packed(embedding: Sequence[float]) -> bytes:
    """A vector of length one in the same direction, as 32-bit floats: the product of two is their cosine."""
    import numpy

    vector = numpy.asarray(embedding, dtype=numpy.float32)
    return bytes((vector / (numpy.linalg.norm(vector) or 1.0)).astype(numpy.float32).tobytes())
