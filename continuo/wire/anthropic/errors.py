"""Errors in the shape that the SDKs make typed exceptions of."""

from typing import Any

_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 429: "rate_limit_error",
    503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


def error(
    status: int, message: str, *, param: str | None = None, code: str | None = None, request_id: str | None = None
) -> dict[str, Any]:
    """The body of a response with this status; the field and the code are ours, beside what the dialect has."""
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    ours = {name: value for name, value in (("param", param), ("code", code)) if value is not None}
    body = {"type": kind, "message": message, **ours}
    return {"type": "error", "error": body, "request_id": request_id}
