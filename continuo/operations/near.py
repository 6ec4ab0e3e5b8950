"""Texts that are nearly the same as one before, told by MinHash: 128 bytes of each stay, however long it is."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from continuo.decisions.folding import folded, words

Signature = NDArray[np.uint8]

HASHES = 128
"""Bytes of a signature: how alike two are is told to within about 0.05."""

SHINGLE = 3
"""Words that are compared together."""

TOGETHER = 4_096
"""Shingles that are hashed at once."""

_RANDOM = np.random.default_rng(2026)
_FACTORS = _RANDOM.integers(0, 2**63, (HASHES, 1), np.uint64) * np.uint64(2) + np.uint64(1)
_SUMMANDS = _RANDOM.integers(0, 2**63, (HASHES, 1), np.uint64)


def signature(texts: Sequence[str]) -> Signature | None:
    """What stands for the sequences of three words in the texts, but for case and accents; None without a word."""
    shingles = np.array(sorted({one for text in texts for one in _shingles(text)}), np.uint64)
    if not shingles.size:
        return None
    least = np.full(HASHES, 2**64 - 1, np.uint64)
    for start in range(0, shingles.size, TOGETHER):
        hashed = _FACTORS * shingles[start : start + TOGETHER] + _SUMMANDS
        np.minimum(least, hashed.min(axis=1), out=least)
    # Few that are not the same agree in a byte: 1 in 256.
    return (least >> np.uint64(32)).astype(np.uint8)


class Near:
    """Knows what it has been shown. Two are nearly the same that have the share `threshold`, in 0..1, of all their
    sequences of three words in common."""

    def __init__(self, threshold: float) -> None:
        self._least = threshold * HASHES
        self._known = np.empty((HASHES, 1_024), np.uint8)
        self._count = 0

    def is_new(self, texts: Sequence[str]) -> bool:
        """Whether they are not nearly the same as any texts before that were new."""
        own = signature(texts)
        if own is None:
            return True
        same = self._known[:, : self._count] == own[:, None]
        # Sums of bytes, which HASHES fits: 10,000 are compared in a fraction of a millisecond.
        if same.sum(axis=0, dtype=np.uint8).max(initial=0) >= self._least:
            return False
        if self._count == self._known.shape[1]:
            self._known = np.concatenate([self._known, np.empty_like(self._known)], axis=1)
        self._known[:, self._count] = own
        self._count += 1
        return True


def _shingles(text: str) -> set[int]:
    said = words(folded(text))
    starts = range(max(1, len(said) - SHINGLE + 1)) if said else ()
    return {crc32(" ".join(said[at : at + SHINGLE]).encode(errors="surrogatepass")) for at in starts}
