"""A link decides a review once, by the form of its page, and by nothing that only fetches it."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from continuo.activities.poster import Poster
from continuo.activities.review_notices import ReviewNotices
from continuo.config.settings import Settings, environment
from continuo.decisions.review import Case
from continuo.door.runs import Handle, result
from continuo.errors import InputError
from continuo.jobs import Outcome
from continuo.operations.review_notices import notices_of
from continuo.patterns import Review
from continuo.patterns.review import Notify
from continuo.protection.review_links import ReviewLink, link_of, token_of
from continuo.testing.processes import until
from tests.gateway.test_reviews import begun
from tests.support.gateway import GatewayProcess, new_key
from tests.support.receiver import receiving
from tests.workflows.test_review import opened

LINK = ReviewLink(review="r/1", tenant="acme", reviewer="ann", decisions=("approve",), shown="abc", expires=100)


async def linked(gateway: GatewayProcess, case: Case, by: str, **body: Any) -> httpx.Response:
    async with gateway.http(await new_key(case.tenant)) as http:
        return await http.post(f"/v1/reviews/{quote(case.id, safe='')}/link", json={"by": by, **body})


async def review(client: Client, **fields: Any) -> tuple[Handle, Case]:
    return await begun(client, f"t{uuid4().hex[:10]}", Review(**fields))


@pytest.mark.usefixtures("worker")
async def test_fetching_decides_nothing_and_posting_the_form_decides_once(
    client: Client, gateway: GatewayProcess
) -> None:
    handle, case = await review(client, question="Publish <b>it</b>?", reviewers=("ann", "bob"))
    url = (await linked(gateway, case, "ann")).json()["url"]
    async with httpx.AsyncClient() as http:
        for method in ("GET", "HEAD", "GET"):
            page = await http.request(method, url)
            assert page.status_code == 200
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "<b>" not in page.text
        assert "Publish <b>it</b>?" in unescape(page.text)
        assert (await opened(handle)).verdict is None
        edited = await http.post(url, data={"decision": "edit", "text": "One\r\ntwo", "note": "shorter"})
        assert (edited.status_code, "edit by ann" in edited.text) == (200, True)
        again = await http.post(url, data={"decision": "approve"})
        assert (again.status_code, "edit by ann" in again.text) == (409, True)
        assert "edit by ann" in (await http.get(url)).text
    end = await result(handle)
    assert isinstance(end, Outcome)
    assert (end.text, end.verdict and end.verdict.note) == ("One\ntwo", "shorter")


@pytest.mark.usefixtures("worker")
async def test_a_message_in_slack_has_a_link_for_each_reviewer_with_which_that_one_decides(
    client: Client, gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, case = await review(client, question="Pay <it> & go?", reviewers=("ann", "bob"), not_by_requester=True)
    case = case.model_copy(update={"requester": "bob"})
    async with receiving("200 OK") as slack:
        monkeypatch.setenv("SLACK_REVIEWS", slack.url("/services/secret"))
        monkeypatch.setenv("CONTINUO_GATEWAY_URL", gateway.url)
        [notice] = notices_of(Notify(slack="SLACK_REVIEWS"), case, "opened", "run", 0)
        assert "/services/" not in notice.model_dump_json()
        settings = Settings()
        await ActivityEnvironment().run(
            ReviewNotices(settings, environment(), Poster(settings, environment())).tell, notice
        )
        [sent] = slack.sent
    assert sent.path == "/services/secret"
    text = json.loads(sent.body)["text"]
    assert "Pay &lt;it&gt; &amp; go?" in text
    [(url, name)] = re.findall(r"<(http[^|]+)\|Decide as (\w+)>", text)
    assert name == "ann"
    async with httpx.AsyncClient() as http:
        assert (await http.get(url)).status_code == 200
        assert (await opened(handle)).verdict is None
        assert "approve by ann" in (await http.post(url, data={"decision": "approve"})).text
    assert isinstance(await result(handle), Outcome)


@pytest.mark.usefixtures("worker")
async def test_a_link_allows_its_decisions_alone_and_a_form_that_lacks_something_comes_back(
    client: Client, gateway: GatewayProcess
) -> None:
    handle, case = await review(client, reasons=("spam",))
    url = (await linked(gateway, case, "ann", decisions=["reject"])).json()["url"]
    async with httpx.AsyncClient() as http:
        for fields, status, words in (
            ({"decision": "approve"}, 400, "decides with reject"),
            ({"decision": ["approve", "destroy"]}, 400, "decides with reject"),
            ({"decision": "reject", "note": "n" * 10_001}, 400, "note"),
            ({"decision": "reject"}, 409, "needs one of the reasons spam"),
        ):
            page = await http.post(url, data=fields)
            assert page.status_code == status
            assert words in page.text
            assert "<form" in page.text
        assert (await http.post(url, json={"decision": "reject", "reason": "spam"})).status_code == 400
        assert (await http.post(url[:-4], data={"decision": "reject", "reason": "spam"})).status_code == 404
    assert (await opened(handle)).verdict is None
    await handle.cancel()


@pytest.mark.usefixtures("worker")
async def test_a_link_is_made_for_a_reviewer_of_an_open_review_alone(client: Client, gateway: GatewayProcess) -> None:
    handle, case = await review(client, reviewers=("ann",), decisions=("approve", "reject"))
    assert (await linked(gateway, case, "eve")).status_code == 409
    assert (await linked(gateway, case, "ann", decisions=["edit"])).json()["error"]["param"] == "decisions"
    assert (await linked(gateway, case, "ann", seconds="31d")).json()["error"]["param"] == "seconds"
    url = (await linked(gateway, case, "ann")).json()["url"]
    umbra = case.model_copy(update={"tenant": "umbra"})
    assert (await linked(gateway, umbra, "ann")).status_code == 404
    await handle.cancel()

    async def ended() -> bool:
        return (await handle.describe()).close_time is not None

    await until(ended)
    assert (await linked(gateway, case, "ann")).status_code == 409
    async with httpx.AsyncClient() as http:
        for page in (await http.get(url), await http.post(url, data={"decision": "approve"})):
            assert "its run was cancelled" in page.text
            assert "<form" not in page.text


def test_a_link_opens_with_any_of_the_keys_until_it_expires() -> None:
    assert link_of(token_of(LINK, "old" * 20), ["new" * 20, "old" * 20], 99) == LINK
    with pytest.raises(InputError, match="expired"):
        link_of(token_of(LINK, "old" * 20), ["old" * 20], 100)


@given(st.data())
def test_a_changed_link_opens_nothing(data: st.DataObject) -> None:
    token = token_of(LINK, "k" * 32)
    place = data.draw(st.integers(0, len(token) - 3))
    other = data.draw(st.characters().filter(lambda char: char != token[place]))
    changed = f"{token[:place]}{other}{token[place + 1 :]}"
    with pytest.raises(InputError):
        link_of(changed, ["k" * 32], 0)
    with pytest.raises(InputError):
        link_of(data.draw(st.text(max_size=60)), ["k" * 32], 0)
