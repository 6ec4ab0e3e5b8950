"""The example shop: whatever is asked of it, and however often, its books add up."""

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.defaults import DEFAULTS
from continuo.simulator.shop.store import STOCK, Refused, Store
from continuo.testing.processes import Control
from tests.support.repository import ROOT

PATHS = {"inventory": "/inventory/reservations", "payment": "/payment/charges", "shipping": "/shipping/shipments"}
EVERY_SERVICE = pytest.mark.parametrize("service", PATHS)
MUGS = {"sku": "mug", "quantity": 2, "unit_price_cents": 1250}
ORDER = {"order_id": "1", "customer": "Mara", "country": "SE", "items": [MUGS], "card": "visa-test"}


@pytest.fixture
async def http(shop: Control) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=shop.url) as found:
        yield found


def deed(service: str) -> str:
    return f"{PATHS[service]}/{uuid4()}"


@EVERY_SERVICE
async def test_the_same_request_again_gets_the_first_answer_and_does_nothing(
    http: httpx.AsyncClient, shop: Control, service: str
) -> None:
    path = deed(service)
    first = await http.put(path, json=ORDER)
    totals = await shop.get("/totals")
    again = await http.put(path, json=ORDER)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert await shop.get("/totals") == totals


@EVERY_SERVICE
async def test_an_undoing_that_comes_first_or_twice_changes_nothing_and_refuses_the_late_request(
    http: httpx.AsyncClient, shop: Control, service: str
) -> None:
    path, before = deed(service), await shop.get("/totals")
    assert [(await http.delete(path)).status_code for _ in range(2)] == [200, 200]
    assert (await http.put(path, json=ORDER)).status_code == 409
    assert await shop.get("/totals") == before


@EVERY_SERVICE
async def test_what_is_done_can_be_undone_once(http: httpx.AsyncClient, shop: Control, service: str) -> None:
    path = deed(service)
    await http.put(path, json=ORDER)
    await http.delete(path)
    totals = await shop.get("/totals")
    assert (await http.delete(path)).status_code == 200
    assert (await http.put(path, json=ORDER)).status_code == 409
    assert await shop.get("/totals") == totals


@pytest.mark.parametrize(
    ("service", "change", "status"),
    [
        ("inventory", {"items": [MUGS, {**MUGS, "sku": "clock"}]}, 422),
        ("inventory", {"items": [{**MUGS, "sku": "no such thing"}]}, 422),
        ("payment", {"card": "declined"}, 402),
        ("payment", {"items": [{**MUGS, "unit_price_cents": 10_000_000}]}, 402),
        ("shipping", {"country": "AQ"}, 422),
    ],
)
async def test_a_refused_order_changes_nothing(
    http: httpx.AsyncClient, shop: Control, service: str, change: dict[str, Any], status: int
) -> None:
    before = await shop.get("/totals")
    refused = await http.put(deed(service), json={**ORDER, **change})
    assert (refused.status_code, list(refused.json())) == (status, ["error"])
    assert await shop.get("/totals") == before


@pytest.mark.parametrize("service", ["inventory", "payment"])
@pytest.mark.parametrize("quantity", [0, -5, "2", None])
async def test_a_quantity_that_is_none_changes_nothing(
    http: httpx.AsyncClient, shop: Control, service: str, quantity: object
) -> None:
    before = await shop.get("/totals")
    answer = await http.put(deed(service), json={**ORDER, "items": [{**MUGS, "quantity": quantity}]})
    assert answer.status_code == 400
    assert await shop.get("/totals") == before


async def test_every_line_of_an_order_counts_also_where_two_name_the_same_thing(
    http: httpx.AsyncClient, shop: Control
) -> None:
    before = await shop.get("/totals")
    await http.put(deed("inventory"), json={**ORDER, "items": [MUGS, {**MUGS, "quantity": 3}]})
    after = await shop.get("/totals")
    assert after["reserved_units"] - before["reserved_units"] == 5
    assert before["stock"]["mug"] - after["stock"]["mug"] == 5


async def test_a_lost_answer_is_had_by_asking_again_and_the_deed_is_done_once(
    http: httpx.AsyncClient, shop: Control
) -> None:
    before = await shop.get("/totals")
    await shop.put("/_faults/payment", method="PUT", count=1, status=503, after=True)
    path = deed("payment")
    assert [(await http.put(path, json=ORDER)).status_code for _ in range(2)] == [503, 200]
    assert (await shop.get("/totals"))["charged_cents"] - before["charged_cents"] == 2500


@pytest.mark.parametrize(("file", "statuses"), [("order", [200, 200, 200]), ("order-antarctica", [200, 200, 422])])
async def test_the_orders_that_ship_end_as_they_promise(
    http: httpx.AsyncClient, file: str, statuses: list[int]
) -> None:
    order = json.loads((DEFAULTS / "examples" / f"{file}.json").read_text(encoding="utf-8"))
    paths = [deed(service) for service in PATHS]
    assert [(await http.put(path, json=order)).status_code for path in paths] == statuses
    for path in paths:
        await http.delete(path)


async def test_a_killed_shop_comes_back_with_its_books(tmp_path: Path) -> None:
    path, totals = deed("payment"), []
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "continuo.simulator.shop", "--port", "0", "--data", str(tmp_path / "shop.db"),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.put(path, json=ORDER)).status_code == 200
            totals.append((await http.get("/totals")).json())
        process.kill()
        await process.communicate()
    assert totals[0] == totals[1]
    assert totals[0]["charged_cents"] == 2500


skus, countries = st.sampled_from(["mug", "lamp", "clock"]), st.sampled_from(["SE", "AQ"])
lines = st.fixed_dictionaries({"sku": skus, "quantity": st.integers(1, 3), "unit_price_cents": st.integers(0, 200_000)})
items = st.lists(lines, min_size=1, max_size=3)
orders = st.fixed_dictionaries({"items": items, "country": countries, "card": st.just("visa-test")})
requests = st.lists(st.tuples(st.sampled_from(list(PATHS)), st.sampled_from("abc"), st.none() | orders), max_size=15)
# One for all examples, each with keys of its own: a connection that is let go unclosed is a warning.
STORE, NUMBERS = Store(":memory:"), itertools.count()


@given(requests)
def test_stock_money_and_parcels_add_up_after_any_requests_in_any_order(
    asked: list[tuple[str, str, dict[str, Any] | None]],
) -> None:
    number, before = next(NUMBERS), STORE.totals()
    done: dict[tuple[str, str], dict[str, Any]] = {}
    for service, letter, order in asked:
        key = f"{number}{letter}"
        if order is None:
            STORE.undo(service, key)
            done.pop((service, key), None)
            continue
        try:
            answer = STORE.do(service, key, order)
        except Refused:
            continue
        assert done.setdefault((service, key), answer) == answer
    after = STORE.totals()

    def grown(name: str) -> int:
        grown: int = after[name] - before[name]
        return grown

    def sum_of(field: str) -> int:
        return sum(answer.get(field, 0) for answer in done.values())

    assert sum(STOCK.values()) - sum(after["stock"].values()) == after["reserved_units"]
    assert grown("reserved_units") == sum_of("units_total")
    assert grown("charged_cents") - grown("refunded_cents") == sum_of("cents")
    assert grown("shipments") == sum_of("parcels")
