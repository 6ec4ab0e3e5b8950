"""Embeddings of what was asked, compared one by one: right, and quick enough for some thousands."""

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from continuo.stores.database import Database

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vector = NDArray[float32]

MOST = 10_000
"""Entries of one family that are compared, the newest ones."""


class Vectors:
    """Keeps what it has read; which entries still count is asked anew each time, since other processes write too."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._families: dict[str, dict[str, Vector]] = {}

    def nearest(self, family: str, embedding: bytes, threshold: float, now: float) -> str | None:
        """The key of the entry most like `embedding` (see `packed`), if their cosine is at least `threshold`."""
        # Imported here because it takes longer to load than all else that a worker without it needs.
        import numpy

        known = self._current(family, now)
        asked = numpy.frombuffer(embedding, dtype=numpy.float32)
        # Another model's embeddings, of another length, say nothing about this one.
        keys = [key for key, vector in known.items() if vector.shape == asked.shape]
        if not keys:
            return None
        similarity = numpy.stack([known[key] for key in keys]) @ asked
        best = int(similarity.argmax())
        return keys[best] if similarity[best] >= threshold else None

    def _current(self, family: str, now: float) -> "dict[str, Vector]":
        import numpy

        sql = (
            "SELECT key FROM entries WHERE family = ? AND expires > ? AND embedding IS NOT NULL"
            " ORDER BY stored DESC LIMIT ?"
        )
        live = [row["key"] for row in self._database.read(sql, (family, now, MOST))]
        known = self._families.get(family, {})
        for key in live:
            if key not in known:
                rows = self._database.read("SELECT embedding FROM entries WHERE key = ?", (key,))
                known[key] = numpy.frombuffer(rows[0]["embedding"] if rows else b"", dtype=numpy.float32)
        self._families[family] = {key: known[key] for key in live}
        return self._families[family]


def written(embedding: Sequence[float]) -> str:
    """An embedding as a text, of 8 KB for 1,536 dimensions: base64 of `packed`."""
    return b64encode(packed(embedding)).decode()


def packed(embedding: Sequence[float]) -> bytes:
    """A vector of length one in the same direction, as 32-bit floats: the product of two is their cosine."""
    import numpy

    vector = numpy.asarray(embedding, dtype=numpy.float32)
    return bytes((vector / (numpy.linalg.norm(vector) or 1.0)).astype(numpy.float32).tobytes())
