"""From an HTTP status, a transport's exception or a broken body to a `ProviderError`, in this one place."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from continuo.errors import ErrorKind, ProviderError
from continuo.messages import Usage, plausible
from continuo.protection.masking import Masker

if TYPE_CHECKING:
    import httpx

_TRANSIENT = {408, 409, 425, 429}
_KINDS: dict[int, ErrorKind] = {
    401: "unauthorized",
    403: "unauthorized",
    404: "not_found",
    408: "timeout",
    429: "rate_limited",
}
# An error that comes as an event has no status of its own: Google gives a number, the others one of these names.
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_LONGEST_MESSAGE = 300

AFTER_THE_END = "the stream goes on after its end"


def error_for_response(name: str, response: "httpx.Response", text: str) -> ProviderError:
    """The error of a response that is not a success and whose body is `text`.

    `name` is the provider's or service's.
    """
    return _error(f"{name}: ", response.status_code, text, response.headers)


def error_in_stream(event: Mapping[str, Any]) -> ProviderError:
    """The error that a provider sends as an event of a stream, after a status of 200."""
    return _error("error in the stream: ", _status(event), json.dumps(event), {})


def error_in_batch(body: Mapping[str, Any], status: int | None = None) -> ProviderError:
    """The error of one request of a batch."""
    return _error("", status or _status(body), json.dumps(body), {})


def _status(body: Mapping[str, Any]) -> int:
    error = body.get("error")
    names = [error.get("code"), error.get("type")] if isinstance(error, dict) else []
    statuses = (name if isinstance(name, int) else _STATUSES.get(str(name)) for name in names)
    return next(filter(None, statuses), 500)


def error_for_transport(name: str, error: Exception, masker: Masker) -> ProviderError:
    """The error of a request that brought no whole response; the library's message may repeat what was received."""
    # Not above: a catalog loads its protocols, and they this file, where nothing is sent.
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return ProviderError("timeout", f"{name}: {type(error).__name__}: no answer in time", retryable=True)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return ProviderError("invalid_request", masker.text(f"{name}: its base URL is none: {error}"))
    return ProviderError("connection", masker.text(f"{name}: {type(error).__name__}: {error}"), retryable=True)


def invalid_response(what: str, usage: Usage | None = None) -> ProviderError:
    """The error of a response with status 200 that holds no answer; another attempt may well bring one."""
    what = what.encode(errors="replace").decode()
    return ProviderError("invalid_response", what[:_LONGEST_MESSAGE], retryable=True, usage=usage)


def refused(why: str, usage: Usage | None = None) -> ProviderError:
    """The error of a model that declines to answer; asking again changes nothing."""
    return ProviderError("refused", f"the model refused: {why[:_LONGEST_MESSAGE]}", usage=usage)


@contextmanager
def naming(upstream: str) -> Iterator[None]:
    """Puts the provider's or service's name before the message of an error, whose usage is one that can be; who
    reads a body knows neither."""
    try:
        yield
    except ProviderError as error:
        error.args = (f"{upstream}: {error}",)
        error.usage = plausible(error.usage)
        raise


@contextmanager
def reading(usage: Usage | None = None) -> Iterator[None]:
    """Makes what Python raises for another shape an `invalid_response`, with what was counted all the same."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as error:
        what = f"the response has an unexpected shape ({type(error).__name__}: {error})"
        raise invalid_response(what, usage) from error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the provider asks to wait: `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return _seconds(float(milliseconds) / 1000)
        if (value := headers.get("retry-after")) is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return _seconds(float(value))
        return _seconds((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _seconds(value: float) -> float | None:
    return max(0.0, value) if math.isfinite(value) else None


def _error(prefix: str, status: int, body: str, headers: Mapping[str, str]) -> ProviderError:
    message, code = _message_and_code(body)
    if code == "insufficient_quota":
        # The same status as a rate limit, but waiting does not fill an account.
        text = f"{prefix}{status} the account's quota is used up: {message}"
        return ProviderError("rate_limited", text, status=status)
    retryable = status in _TRANSIENT or status >= 500
    return ProviderError(
        _KINDS.get(status, "server_error" if retryable else "invalid_request"),
        f"{prefix}{status} {message}",
        status=status,
        retryable=retryable,
        retry_after=retry_after(headers) if retryable else None,
    )


def _message_and_code(body: str) -> tuple[str, str | None]:
    """The provider's own message, cut to a readable length, and its code."""
    try:
        value = json.loads(body)
        value = value[0] if isinstance(value, list) else value
        error = value.get("error", value)
        message, code = (error, None) if isinstance(error, str) else (error.get("message") or body, error.get("code"))
    except (ValueError, AttributeError, IndexError):
        message, code = body, None
    # The message may hold half a surrogate pair, which nothing could keep.
    readable = str(message).encode(errors="replace").decode()
    return " ".join(readable.split())[:_LONGEST_MESSAGE] or "no message", code if isinstance(code, str) else None
