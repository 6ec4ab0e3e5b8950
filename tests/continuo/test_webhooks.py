"""Webhooks: what may be told, and by whose secret it is signed."""

import time
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.operations.webhooks import Notice, event_of
from continuo.protection.webhooks import check_url, keys_of, secret_of, signed

KEY = "k" * 32
NOTICE = Notice(url="https://hook.example", subject="job_1", tenant="acme", workflow_id="w", run_id="a-b")
REFUSED = [
    "http://hook.example", "ftp://hook.example", "hook.example/x", "//hook.example", "https://", "https:///x", "",
    "https://user:pass@hook.example", "https://@hook.example", "https://hook.example:99999", "https://[::1",
    "https://127.0.0.1/x", "https://127.1", "https://2130706433", "https://0x7f000001", "https://0177.0.0.1",
    "https://127.0.0.1.", "https://[::1]", "https://[::ffff:10.0.0.1]", "https://169.254.169.254/latest/meta-data",
    "https://[fd00:ec2::254]", "https://10.0.0.1:8443", "https://hook.example/a b", "https://hook.example/\r\nX: y",
    "https://höök.example", "https://hook.example/" + "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_no_address_of_the_internet_over_https_is_refused(address: str) -> None:
    with pytest.raises(InputError):
        check_url(address, private=False)


@pytest.mark.parametrize("address", ["https://hook.example/a?b=c", "https://93.184.216.34", "https://x.example:8443/"])
def test_an_address_of_the_internet_is_taken(address: str) -> None:
    check_url(address, private=False)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/x", "https://10.0.0.1", "http://hooks"])
def test_an_address_inside_is_taken_where_that_is_allowed(address: str) -> None:
    check_url(address, private=True)


@given(st.text() | st.text().map("https://{}".format))
def test_any_text_is_an_address_or_a_clear_error(address: str) -> None:
    try:
        check_url(address, private=False)
    except InputError:
        pass
    else:
        assert address.lower().startswith("https://")


@pytest.mark.parametrize("key", [None, "", "short", f"{KEY},short"])
def test_without_a_key_that_nobody_guesses_there_is_no_secret(key: str | None) -> None:
    with pytest.raises(InputError, match="CONTINUO_WEBHOOK_KEY"):
        keys_of({} if key is None else {"CONTINUO_WEBHOOK_KEY": key})


def test_tenants_have_secrets_of_their_own() -> None:
    assert len({secret_of(KEY, "acme"), secret_of(KEY, "globex"), secret_of("l" * 32, "acme"), KEY}) == 4


@pytest.mark.parametrize(("subject", "type"), [("job_1", "job.completed"), ("resp_1", "response.completed")])
def test_openais_sdk_takes_what_is_signed_and_nothing_else(subject: str, type: str) -> None:
    made = event_of(NOTICE.model_copy(update={"subject": subject}), "completed", 12.9)
    secret, client = secret_of(KEY, "acme"), openai.OpenAI(api_key="none")
    others = [secret_of(key, "acme") for key in keys_of({"CONTINUO_WEBHOOK_KEY": f"{'n' * 40}, {KEY}"})]
    headers = signed(others, made.id, int(time.time()), made.body)
    taken: Any = client.webhooks.unwrap(made.body, headers, secret=secret)
    assert (taken.id, taken.type, taken.created_at, taken.data.id) == ("evt_ab", type, 12, subject)
    for body, by in ((made.body + " ", secret), (made.body, secret_of(KEY, "globex"))):
        with pytest.raises(openai.InvalidWebhookSignatureError):
            client.webhooks.unwrap(body, headers, secret=by)
    with pytest.raises(openai.InvalidWebhookSignatureError, match="too old"):
        client.webhooks.unwrap(made.body, signed([secret], made.id, int(time.time()) - 301, made.body), secret=secret)
