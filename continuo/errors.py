"""The errors the domain raises: what a person got wrong, and what a provider did."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # A command that only refuses its input does without the models of data.
    from continuo.messages import Usage


class InputError(ValueError):
    """Wrong input. The message names the field and the fix, in one line, before anything has run."""


class RefusedByRule(InputError):
    """The `rule` of this name refuses what is asked; the message is the rule's own."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class RefusedByGuardrails(InputError):
    """A `stage` of the guardrails refuses what is asked; `findings` says how often it saw what kind of thing."""

    def __init__(self, message: str, stage: str, findings: Mapping[str, int]) -> None:
        super().__init__(message)
        self.stage = stage
        self.findings = findings


class NoServer(InputError):
    """Nothing answers where the Temporal server is said to be: it is away, or its address is wrong."""


class UnknownName(InputError):
    """A `name` that nothing has; `what` it should be the name of, such as "model"."""

    def __init__(self, message: str, what: str, name: str) -> None:
        super().__init__(message)
        self.what = what
        self.name = name


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownName:
    """An error for a name that is not among `known`, with the nearest one that is."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    return UnknownName(f"unknown {what} {name[:80]!r}; {hint}", what, name)


ErrorKind = Literal[
    "timeout", "connection", "rate_limited", "server_error", "invalid_response",
    "invalid_request", "unauthorized", "not_found", "refused", "budget_spent", "breaker_open",
    "store_unavailable", "internal_error", "function_failed", "stream_broken",
    "tool_failed", "tool_changed",
]  # fmt: skip


class ProviderError(Exception):
    """A call that gave no answer.

    `retryable` says whether the same call may succeed later, `retry_after` (seconds) when the provider
    says how much later. `usage` is what the provider counted all the same, as it does for a refusal.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        usage: "Usage | None" = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after
        self.usage = usage
