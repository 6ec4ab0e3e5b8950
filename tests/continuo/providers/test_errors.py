"""From what a provider or a connection did to an error that says whether to try again, and when."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.errors import ErrorKind, ProviderError
from continuo.protection.masking import Masker
from continuo.providers.errors import error_for_response, error_for_transport, error_in_stream, retry_after


def of(name: str, response: httpx.Response) -> ProviderError:
    return error_for_response(name, response, response.text)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, "timeout"),
        (409, "server_error"),
        (425, "server_error"),
        (429, "rate_limited"),
        *[(status, "server_error") for status in (500, 502, 503, 504, 529)],
    ],
)
def test_a_transient_status_may_be_tried_again(status: int, kind: ErrorKind) -> None:
    error = of("acme", httpx.Response(status, headers={"retry-after": "7"}, text="busy"))
    assert (error.kind, error.status, error.retryable, error.retry_after) == (kind, status, True, 7.0)
    assert str(error) == f"acme: {status} busy"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "not_found"),
        *[(status, "invalid_request") for status in (302, 400, 402, 413, 422)],
    ],
)
def test_any_other_status_is_final(status: int, kind: ErrorKind) -> None:
    error = of("acme", httpx.Response(status, headers={"retry-after": "7"}))
    assert (error.kind, error.retryable, error.retry_after) == (kind, False, None)


def test_waiting_does_not_fill_an_account() -> None:
    body = {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}
    error = of("acme", httpx.Response(429, json=body))
    assert (error.kind, error.retryable) == ("rate_limited", False)
    assert str(error) == "acme: 429 the account's quota is used up: You exceeded your quota."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": "model not found"}', "model not found"),
        ('{"message": "no such route"}', "no such route"),
        ('[{"error": {"code": 400, "message": "API key not valid."}}]', "API key not valid."),
        ("<html>\n  <b>502</b>\n</html>", "<html> <b>502</b> </html>"),
        ('{"error": {}}', '{"error": {}}'),
        ("[]", "[]"),
        ("", "no message"),
        ("x" * 5000, "x" * 300),
    ],
)
def test_the_message_is_the_provider_s_own_in_one_short_line(body: str, message: str) -> None:
    assert str(of("acme", httpx.Response(400, text=body))) == f"acme: 400 {message}"


@given(st.text(), st.integers(min_value=300, max_value=599))
def test_any_body_of_an_error_gives_a_short_message(body: str, status: int) -> None:
    message = str(of("acme", httpx.Response(status, text=body)))
    assert message.startswith(f"acme: {status} ")
    assert len(message) < 360


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, "server_error", True),
        ({"type": "rate_limit_error", "message": "slow down"}, "rate_limited", True),
        ({"type": "invalid_request_error", "message": "no"}, "invalid_request", False),
        ({"type": "authentication_error", "message": "who?"}, "unauthorized", False),
        ({"type": "tokens", "code": "rate_limit_exceeded", "message": "slow down"}, "rate_limited", True),
        ({"type": "server_error", "code": None, "message": "oops"}, "server_error", True),
        ({"code": "insufficient_quota", "message": "pay"}, "rate_limited", False),
        ({"code": 400, "status": "INVALID_ARGUMENT", "message": "no"}, "invalid_request", False),
        ({"code": 503, "status": "UNAVAILABLE", "message": "later"}, "server_error", True),
        ("oops", "server_error", True),
    ],
)
def test_an_error_in_a_stream_counts_as_the_status_that_it_names(
    error: object, kind: ErrorKind, retryable: bool
) -> None:
    found = error_in_stream({"error": error})
    assert (found.kind, found.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (httpx.ConnectTimeout(""), "timeout", True),
        (httpx.ReadTimeout(""), "timeout", True),
        (httpx.PoolTimeout(""), "timeout", True),
        (httpx.ConnectError("refused"), "connection", True),
        (httpx.ReadError("reset"), "connection", True),
        (httpx.RemoteProtocolError("<StreamReset stream_id:1, error_code:2>"), "connection", True),
        (httpx.LocalProtocolError("closed"), "connection", True),
        (httpx.DecodingError("gzip"), "connection", True),
        (httpx.UnsupportedProtocol("no scheme"), "invalid_request", False),
        (httpx.InvalidURL("no host"), "invalid_request", False),
    ],
)
def test_what_breaks_on_the_way_may_be_tried_again(error: Exception, kind: ErrorKind, retryable: bool) -> None:
    found = error_for_transport("acme", error, Masker([]))
    assert (found.kind, found.retryable) == (kind, retryable)
    assert str(found).startswith("acme: ")


@given(st.floats(min_value=0, max_value=1e9))
def test_milliseconds_win_over_seconds(value: float) -> None:
    assert retry_after({"retry-after-ms": repr(value), "retry-after": "99"}) == value / 1000


@given(st.integers(min_value=0, max_value=10**9))
def test_seconds_are_read_as_they_are(value: int) -> None:
    assert retry_after({"retry-after": str(value)}) == value


@given(st.integers(min_value=-(10**6), max_value=10**6))
def test_a_date_is_the_time_until_then_and_never_negative(seconds: int) -> None:
    found = retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)})
    assert found == pytest.approx(max(0, seconds), abs=2)


@given(st.sampled_from(["retry-after", "retry-after-ms"]), st.text() | st.sampled_from(["inf", "nan", "-1", "1e999"]))
def test_a_header_that_makes_no_sense_is_no_demand(name: str, value: str) -> None:
    found = retry_after({name: value})
    assert found is None or (found >= 0 and math.isfinite(found))
