"""Continuo beside hand-written Temporal, in one run on one server: `make bench`."""
