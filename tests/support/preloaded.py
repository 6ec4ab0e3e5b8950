"""What commands load or build when they run, done once in the process that they are forks of."""

import bm25s  # noqa: F401
import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401

from continuo.data import build_all

build_all()
