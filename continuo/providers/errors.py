"""From an HTTP status, a transport's exception or a broken body to a `ProviderError`, in this one place."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from continuo.errors import ErrorKind, ProviderError
from continuo.messages import Usage

_TRANSIENT = {408, 409, 425, 429}
_KINDS: dict[int, ErrorKind] = {
    401: "unauthorized",
    403: "unauthorized",
    404: "not_found",
    408: "timeout",
    429: "rate_limited",
}
_LONGEST_MESSAGE = 300


def error_for_response(name: str, response: httpx.Response) -> ProviderError:
    """The error of a response that is not a success; its body has been read. `name` is the provider's or service's."""
    status = response.status_code
    message, code = _told(response.text)
    retryable = status in _TRANSIENT or status >= 500
    if code == "insufficient_quota":
        # The same status as a rate limit, but waiting does not fill an account.
        told = f"{name}: {status} the account's quota is used up: {message}"
        return ProviderError("rate_limited", told, status=status)
    return ProviderError(
        _KINDS.get(status, "server_error" if retryable else "invalid_request"),
        f"{name}: {status} {message}",
        status=status,
        retryable=retryable,
        retry_after=retry_after(response.headers) if retryable else None,
    )


def error_for_transport(name: str, error: Exception) -> ProviderError:
    """The error of a request that brought no whole response."""
    if isinstance(error, httpx.TimeoutException):
        return ProviderError("timeout", f"{name}: {type(error).__name__}: no answer in time", retryable=True)
    return ProviderError("connection", f"{name}: {type(error).__name__}: {error}", retryable=True)


def error_in_stream(name: str, event: Mapping[str, object]) -> ProviderError:
    """The error that a provider sends as an event of a stream, after a status of 200."""
    message, _ = _told(json.dumps(event))
    return ProviderError("server_error", f"{name}: error in the stream: {message}", retryable=True)


def invalid_response(what: str, usage: Usage | None = None) -> ProviderError:
    """The error of a response with status 200 that holds no answer; another attempt may well bring one."""
    return ProviderError("invalid_response", what, retryable=True, usage=usage)


def refused(why: str, usage: Usage | None = None) -> ProviderError:
    """The error of a model that declines to answer; asking again changes nothing."""
    return ProviderError("refused", f"the model refused: {why[:_LONGEST_MESSAGE]}", usage=usage)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the provider asks to wait: `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        if (value := headers.get("retry-after")) is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _told(body: str) -> tuple[str, str | None]:
    """The provider's own message, cut to a readable length, and its code."""
    try:
        found = json.loads(body)
        found = found[0] if isinstance(found, list) else found
        error = found.get("error", found)
        message, code = (error, None) if isinstance(error, str) else (error.get("message") or body, error.get("code"))
    except (ValueError, AttributeError, IndexError):
        message, code = body, None
    return " ".join(str(message).split())[:_LONGEST_MESSAGE] or "no message", code if isinstance(code, str) else None
