"""Findings that do not overlap, of such that may."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from continuo.guardrails.findings import Finding


def apart(findings: Iterable[Finding], ranks: Mapping[str, int]) -> list[Finding]:
    """Sorted, and none over another: the longest stays whole, among equals that of the lowest rank. Of the others what
    it leaves stays too, so each character of a finding is in one.
    """
    apart: list[Finding] = []
    for group in _overlapping(sorted(findings, key=lambda one: one.start)):
        apart += group if len(group) == 1 else _cut(group, ranks)
    return apart


def _overlapping(findings: list[Finding]) -> Iterator[list[Finding]]:
    """Groups that have no character in common."""
    group: list[Finding] = []
    end = 0
    for one in findings:
        if group and one.start >= end:
            yield group
            group = []
        end = max(end, one.end) if group else one.end
        group.append(one)
    if group:
        yield group


def _cut(group: list[Finding], ranks: Mapping[str, int]) -> Iterator[Finding]:
    first, last = group[0].start, max(one.end for one in group)
    owners: list[int] = [0] * (last - first)
    by_strength = sorted(set(group), key=lambda one: (one.start - one.end, ranks.get(one.kind, len(ranks)), one))
    for number, one in reversed(list(enumerate(by_strength))):
        owners[one.start - first : one.end - first] = [number] * (one.end - one.start)
    start = first
    for number, places in groupby(owners):
        end = start + len(list(places))
        yield Finding(by_strength[number].kind, start, end)
        start = end
