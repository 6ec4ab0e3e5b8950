"""`/ui` in a real Chromium: what scripts add, what is left without them, and whether everybody can use it."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect
from temporalio.client import Client

from continuo.door.runs import result
from continuo.jobs import Outcome
from continuo.patterns import Review
from continuo.testing.processes import Control
from tests.gateway.test_reviews import begun
from tests.gateway.test_ui_pages import LISTS
from tests.support.gateway import GatewayProcess, new_key
from tests.support.pages import browsing

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.usefixtures("worker", "simulator"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on PATH; apt-get install chromium"),
]


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # As root it has no sandbox of its own; it sees nothing but our pages.
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(chromium: Browser, gateway: GatewayProcess, tenant: str, **options: Any) -> AsyncIterator[Page]:
    """A page of an admin of the tenant. What the browser complains of fails the test."""
    async with browsing(gateway, tenant, role="admin", name="ann") as person:
        context = await chromium.new_context(base_url=gateway.url, **options)
        cookie = {"name": "continuo_session", "value": person.token, "url": f"{gateway.url}/ui", "sameSite": "Strict"}
        await context.add_cookies([cookie])  # type: ignore[list-item]
        page, complaints, hosts = await context.new_page(), list[str](), set[str]()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
        yield page
        await context.close()
        assert (complaints, hosts) == ([], {gateway.url})


async def test_a_person_signs_in_by_keyboard_alone(chromium: Browser, gateway: GatewayProcess) -> None:
    context = await chromium.new_context(base_url=gateway.url)
    page = await context.new_page()
    await page.goto("/ui/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type(await new_key("acme", role="viewer"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    await expect(page.get_by_role("link", name="Runs", exact=True)).to_have_attribute("aria-current", "page")
    [cookie] = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    await context.close()


async def test_a_run_of_the_playground_is_followed_to_its_end_and_its_cost_is_drawn(
    chromium: Browser, gateway: GatewayProcess, simulator: Control
) -> None:
    await simulator.behave("sim-premium", latency=1.0)
    async with opened(chromium, gateway, f"t{uuid4().hex[:10]}") as page:
        await page.goto("/ui/playground")
        await page.get_by_label("Pattern").select_option("support")
        await page.get_by_label("Prompt").fill("Where is it?")
        await page.get_by_role("button", name="Run it").click()
        # It began without an answer, and nobody loads the page again.
        await expect(page.get_by_role("button", name="Cancel this run")).to_be_visible()
        await expect(page.get_by_role("heading", name="Answer", exact=True)).to_be_visible(timeout=15_000)
        await expect(page.get_by_text(re.compile(r"tier1: sim-premium done"))).to_be_visible()
        await page.goto("/ui/costs?by=model")
        await expect(page.locator(".chart canvas")).to_be_visible()


async def test_everybody_can_use_what_is_used_most(chromium: Browser, gateway: GatewayProcess, client: Client) -> None:
    tenant = f"t{uuid4().hex[:10]}"
    handle, case = await begun(client, tenant, Review(question="Publish it?", reasons=("rude",)))
    async with opened(chromium, gateway, tenant) as page:
        assert await barriers(page, f"/review?id={case.id}") == []
        assert await barriers(page, f"/run?id={handle.id}") == []
    await handle.cancel()


@pytest.mark.chaos
@pytest.mark.parametrize("path", ["/sign-in", *LISTS, "/pattern?name=support"])
async def test_everybody_can_use_each_page(chromium: Browser, gateway: GatewayProcess, path: str) -> None:
    async with opened(chromium, gateway, "acme", viewport={"width": 360, "height": 740}) as page:
        assert await barriers(page, path) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def barriers(page: Page, path: str) -> list[tuple[str, list[str]]]:
    """What a checker has against the page in the light, and against its colours in the dark."""
    await page.goto(f"/ui{path}")
    violations = (await Axe().run(page)).response["violations"]
    await page.emulate_media(color_scheme="dark")
    violations += (await Axe().run(page, options={"runOnly": ["color-contrast"]})).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]


async def test_without_scripts_a_review_is_read_and_decided(
    chromium: Browser, gateway: GatewayProcess, client: Client
) -> None:
    tenant = f"t{uuid4().hex[:10]}"
    handle, _ = await begun(client, tenant, Review(question="Publish it?"))
    async with opened(chromium, gateway, tenant, java_script_enabled=False) as page:
        await page.goto("/ui/reviews")
        await page.get_by_role("link", name="Publish it?").click()
        await page.get_by_label("Text of an edit or a response").fill("Mine.\nAll of it.")
        await page.get_by_role("button", name="edit").click()
        await expect(page.get_by_text("it has been decided: edit by ann")).to_be_visible()
    end = await result(handle)
    assert isinstance(end, Outcome)
    assert end.text == "Mine.\nAll of it."
