"""Sums of money that are exact in any order."""

NANO = 10**9
"""Costs are kept as whole nano-dollars."""
