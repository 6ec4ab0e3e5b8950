"""Who comes in to `/ui`, for how long, and what each role may do there."""

import re
from uuid import uuid4

import pytest

from continuo.protection.api_keys import Role
from continuo.starters.gateway.ui.routes import UI
from continuo.starters.gateway.ui.sign_in import TRIES
from continuo.stores.api_keys import ApiKeys
from tests.support.gateway import GatewayProcess, new_key
from tests.support.pages import browsing, stored, text_of, visiting

OPERATING = ("/dead-letter", "/run/cancel", "/playground", "/batches", "/cache")
OPEN = {"/", "/sign-in", "/static/{name}"}
PLACES = sorted({route.path for route in UI.routes} - OPEN)  # type: ignore[attr-defined]


async def test_a_person_signs_in_with_a_key_that_has_a_role_and_out_again(gateway: GatewayProcess) -> None:
    """From an address of its own, since each may try only so often in a minute."""
    secret = await new_key("acme", role="viewer")
    async with visiting(gateway, "127.0.0.2") as http:
        for wrong, status in ((secret[:-1] + "!", 401), (await new_key("acme"), 403)):
            refused = await http.post("/ui/sign-in", data={"key": wrong})
            assert (refused.status_code, "set-cookie" in refused.headers) == (status, False)
        for origin in ("https://elsewhere.example", "null", ""):
            foreign = await http.post("/ui/sign-in", data={"key": secret}, headers={"origin": origin})
            assert foreign.status_code == 403
        signed_in = await http.post("/ui/sign-in", data={"key": f" {secret}\n"})
        cookie = signed_in.headers["set-cookie"].lower()
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/ui/")
        assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/ui", "max-age=28800"))
        assert "secure" not in cookie
        page = await http.get("/ui/runs")
        assert "Sign out" in page.text
        [csrf] = re.findall(r'name="csrf" value="(\w+)"', page.text)
        token = http.cookies["continuo_session"]
        assert (await http.post("/ui/sign-out", data={"csrf": csrf})).headers["location"] == "/ui/sign-in"
        # Not the cookie alone is gone.
        http.cookies.set("continuo_session", token)
        assert (await http.get("/ui/runs")).headers["location"] == "/ui/sign-in"
        behind_https = {"origin": gateway.url.replace("http:", "https:")}
        again = await http.post("/ui/sign-in", data={"key": secret}, headers=behind_https)
        assert "secure" in again.headers["set-cookie"].lower()
        tried = [(await http.post("/ui/sign-in", data={"key": secret})).status_code for _ in range(TRIES)]
        assert tried[-1] == 429


@pytest.mark.parametrize("path", PLACES)
async def test_nobody_sees_a_page_who_is_not_signed_in(gateway: GatewayProcess, path: str) -> None:
    async with visiting(gateway) as http:
        http.cookies.set("continuo_session", uuid4().hex)
        for method in ("GET", "POST"):
            response = await http.request(method, f"/ui{path}")
            assert response.headers.get("location") == "/ui/sign-in" or response.status_code == 405


async def test_a_part_that_is_loaded_by_itself_leads_the_whole_page_to_the_sign_in(gateway: GatewayProcess) -> None:
    async with visiting(gateway) as http:
        part = await http.get("/ui/run/live?id=x", headers={"hx-request": "true"})
        assert (part.status_code, part.headers["hx-redirect"]) == (204, "/ui/sign-in")


async def test_a_session_ends_with_its_key(gateway: GatewayProcess) -> None:
    tenant = f"t{uuid4().hex[:10]}"
    async with browsing(gateway, tenant, role="viewer") as browser, stored() as database:
        [one] = [one for one in await ApiKeys(database).all() if one.key.tenant == tenant]
        await ApiKeys(database).revoke(one.key.id, one.key.created)
        assert (await browser.http.get("/ui/runs")).headers["location"] == "/ui/sign-in"


async def test_a_form_without_the_token_of_the_session_or_from_elsewhere_does_nothing(gateway: GatewayProcess) -> None:
    async with browsing(gateway, role="admin") as browser:
        page = await browser.see("/runs")
        for data in ({"x": "y"}, {"csrf": "0" * 64}, {"csrf": "ä"}):
            assert (await browser.http.post("/ui/sign-out", data=data)).status_code == 403
        browser.http.headers["origin"] = "https://elsewhere.example"
        assert (await browser.send("/sign-out", page)).status_code == 403
        assert "Sign out" in await browser.see("/runs")


@pytest.mark.parametrize(
    ("role", "admin", "refused"),
    [
        ("viewer", False, {"/review", "/rate", *OPERATING, "/keys", "/breakers"}),
        ("reviewer", False, {*OPERATING, "/keys", "/breakers"}),
        ("operator", False, {"/keys", "/breakers"}),
        ("admin", False, {"/breakers"}),
        (None, True, set()),
        ("viewer", True, {"/review", "/rate", *OPERATING, "/keys", "/breakers"}),
    ],
    ids=("viewer", "reviewer", "operator", "admin", "all-tenants", "viewer-of-all"),
)  # fmt: skip
async def test_each_role_may_do_what_those_before_it_may(
    gateway: GatewayProcess, role: Role | None, admin: bool, refused: set[str]
) -> None:
    async with browsing(gateway, role=role, admin=admin) as browser:
        page = await browser.see("/runs")
        actions = {route.path for route in UI.routes if "POST" in route.methods} - OPEN - {"/sign-out"}  # type: ignore[attr-defined]
        # What nobody has cannot be acted on either, but by who might.
        assert {path for path in actions if (await browser.send(path, page)).status_code == 403} == refused


async def test_every_answer_says_what_a_browser_may_load_and_that_nothing_is_kept(gateway: GatewayProcess) -> None:
    async with browsing(gateway, role="viewer") as browser:
        for path in ("/sign-in", "/runs", "/run?id=none", "/keys", "/costs?since=never"):
            headers = (await browser.http.get(f"/ui{path}")).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert headers["cache-control"] == "no-store"
        static = await browser.http.get("/ui/static/htmx.min.js")
        assert static.headers["content-type"].startswith("text/javascript")
        for name in ("none.js", "htmx.LICENSE", "..%2froutes.py"):
            assert (await browser.http.get(f"/ui/static/{name}")).status_code == 404


async def test_what_is_wrong_with_a_query_is_said_on_a_page(gateway: GatewayProcess) -> None:
    async with browsing(gateway, role="viewer") as browser:
        wrong = {
            "/runs?since=soon": "since",
            "/runs?after=x": "after",
            "/costs?since=never": "since",
            "/costs?by=x": "by",
        }
        for path, field in wrong.items():
            response = await browser.http.get(f"/ui{path}")
            assert response.status_code == 400
            assert f"{field}:" in text_of(response.text)
