"""What a caller is told where there is no answer, before each dialect gives it its shape."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from continuo.errors import InputError, RefusedByRule, UnknownName
from continuo.jobs import Failure


class WireError(Exception):
    """A request that is refused: an HTTP `status`, a message, the path of the field that it is about, a code."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code


@contextmanager
def refusing(param: str | None = None) -> Iterator[None]:
    """Raise what the domain refuses as a `WireError` about the field `param`."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = str(first.get("ctx", {}).get("error") or first["msg"])
        path = [param] if param else []
        where = ".".join([*path, *map(str, first["loc"])]) or None
        raise WireError(400, f"{where}: {message}" if where else message, where, "invalid_value") from None
    except RefusedByRule as error:
        raise WireError(400, str(error), code="refused_by_rule") from None
    except UnknownName as error:
        raise WireError(404, str(error), param, f"{error.what}_not_found") from None
    except InputError as error:
        raise WireError(400, f"{param}: {error}" if param else str(error), param, "invalid_value") from None


@dataclass(frozen=True)
class Status:
    """An HTTP status with a code; `retry` says whether the same request may succeed later."""

    status: int
    code: str
    retry: bool = False


_UNEXPECTED = Status(500, "internal_error")

_STATUSES = {
    "InputError": Status(400, "invalid_request"),
    "invalid_request": Status(400, "invalid_request"),
    "refused": Status(400, "content_filter"),
    "GuardFailed": Status(422, "answer_rejected"),
    "not_found": Status(404, "model_not_found"),
    "TooLarge": Status(413, "answer_too_large"),
    "rate_limited": Status(429, "rate_limit_exceeded", retry=True),
    "budget_spent": Status(429, "insufficient_quota"),
    "Cancelled": Status(499, "cancelled"),
    # Of the provider's key, not of the caller's.
    "unauthorized": Status(502, "provider_unauthorized"),
    "connection": Status(502, "provider_unreachable", retry=True),
    "server_error": Status(502, "provider_error", retry=True),
    "invalid_response": Status(502, "provider_error", retry=True),
    "stream_broken": Status(502, "stream_broken"),
    "FallbackExhausted": Status(502, "every_tier_failed", retry=True),
    "CascadeExhausted": Status(502, "every_tier_failed", retry=True),
    "FanOutFailed": Status(502, "branches_failed", retry=True),
    "NoConsensus": Status(502, "no_consensus", retry=True),
    "PipelineFailed": Status(502, "pipeline_failed", retry=True),
    "OrchestrateFailed": Status(502, "orchestration_failed", retry=True),
    # A person has decided it, and would have to again.
    "Rejected": Status(422, "rejected"),
    "Undecided": Status(504, "undecided"),
    # It is undone, and whether to begin again is for its caller to say.
    "SagaFailed": Status(502, "saga_failed"),
    "breaker_open": Status(503, "provider_set_aside", retry=True),
    "store_unavailable": Status(503, "store_unavailable", retry=True),
    "timeout": Status(504, "provider_timeout", retry=True),
    "DeadlineExceeded": Status(504, "deadline_exceeded"),
}


def status_of(failure: Failure) -> Status:
    """What a run that failed is to its caller; a type that is not known here is an error of ours."""
    return _STATUSES.get(failure.type, _UNEXPECTED)
