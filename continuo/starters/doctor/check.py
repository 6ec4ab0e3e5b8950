"""What a check says, and how all of them run at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NamedTuple

from continuo.authoring.library import Library
from continuo.data import Data
from continuo.errors import InputError

LIMIT = 5.0
"""Seconds for each check."""

Status = Literal["ok", "warning", "error"]


class Finding(NamedTuple):
    """How something is, and what to do about it: nothing, where that is empty."""

    status: Status
    message: str
    fix: str = ""


class Result(Data):
    """The finding of the check `name`."""

    name: str
    status: Status
    message: str
    fix: str = ""


Check = Callable[[Library], Awaitable[Finding]]
"""It may raise: an `InputError` is an error whose last words, behind a semicolon, are the fix."""


async def run_checks(checks: Mapping[str, Check], library: Library, mask: Callable[[str], str]) -> list[Result]:
    """The results in the order of the checks, their texts in one line and masked. No check can make it raise."""
    findings = await asyncio.gather(*(_finding(name, check, library) for name, check in checks.items()))
    return [
        Result(name=name, status=one.status, message=mask(" ".join(one.message.split())), fix=mask(one.fix))
        for name, one in reported_once(dict(zip(checks, findings, strict=True))).items()
    ]


def reported_once(findings: dict[str, Finding]) -> dict[str, Finding]:
    """The findings, where an error that keeps later checks from their work is reported by the first of them alone."""
    first = {one.message: name for name, one in reversed(findings.items()) if one.status == "error"}
    return {
        name: one
        if first.get(one.message, name) == name
        else Finding("warning", "not checked", f"mend {first[one.message]} first")
        for name, one in findings.items()
    }


async def _finding(name: str, check: Check, library: Library) -> Finding:
    deadline = asyncio.timeout(LIMIT)
    try:
        async with deadline:
            return await check(library)
    except InputError as error:
        return wrong(error)
    except Exception as error:
        if deadline.expired():
            fix = "see whether it is overloaded, and whether its setting is right"
            return Finding("error", f"{name}: no answer within {LIMIT:g} s", fix)
        return Finding("error", f"{type(error).__name__}: {error}", "mend what this names")


def wrong(error: InputError) -> Finding:
    """The error, whose last words, behind a semicolon, are the fix."""
    message, _, fix = str(error).rpartition("; ")
    return Finding("error", message, fix) if message else Finding("error", fix, "correct it")
