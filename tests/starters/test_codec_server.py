"""The codec server, asked as Temporal's UI and CLI ask it."""

import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload

from continuo.config.settings import Settings
from continuo.errors import InputError
from continuo.protection.api_keys import ApiKey, new_id, new_secret
from continuo.protection.encryption import BYTES, VARIABLE, cipher
from continuo.starters import codec_server
from continuo.starters.codec_server import create
from continuo.stores.api_keys import ApiKeys
from continuo.stores.opened import open_store
from continuo.temporal.encrypted import EncryptedPayloads

UI = "http://127.0.0.1:8233"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"Where is my order?"')


@pytest.fixture
async def server(
    environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    monkeypatch.setenv(VARIABLE, f"first:{b64encode(os.urandom(BYTES)).decode()}")
    app = create(UI)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://codec") as http,
    ):
        yield http


async def new_key(data: Path, *, admin: bool) -> str:
    secret = new_secret(new_id())
    async with aclosing(open_store(Settings(data=data), {})) as store:
        now = datetime.now(UTC)
        key = ApiKey(id=secret.id, name="test", tenant="acme", created=now, admin=admin)
        await ApiKeys(store).create(key, secret)
    return secret.text


async def encrypted() -> dict[str, object]:
    key = cipher(os.environ)
    assert key is not None
    return {"payloads": [MessageToDict(one) for one in await EncryptedPayloads(key).encode([PLAIN])]}


async def test_an_admin_key_decodes_what_is_encrypted(server: httpx.AsyncClient, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {await new_key(tmp_path, admin=True)}"}
    response = await server.post("/decode", json=await encrypted(), headers=headers)
    assert response.json() == {"payloads": [MessageToDict(PLAIN)]}
    again = await server.post("/encode", json=response.json(), headers=headers)
    assert again.json()["payloads"][0]["metadata"]["encoding"] == b64encode(b"binary/encrypted").decode()
    assert (await server.post("/decode", json=again.json(), headers=headers)).json() == response.json()


async def test_a_stranger_and_a_tenants_key_are_refused(server: httpx.AsyncClient, tmp_path: Path) -> None:
    for secret in ("", "Bearer ", "Bearer guessed", f"Bearer {await new_key(tmp_path, admin=False)}"):
        response = await server.post("/decode", json=await encrypted(), headers={"authorization": secret})
        assert (response.status_code, "admin key" in response.text) == (401, True)
    response = await server.post(
        "/decode", json=await encrypted(), headers={"cookie": f"{codec_server.COOKIE}=guessed"}
    )
    assert response.status_code == 401


async def test_a_browser_is_let_in_on_the_page_until_the_key_is_revoked(
    server: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Give an admin key" in (await server.get("/")).text
    assert (await server.post("/", data={"key": "guessed"})).status_code == 401
    secret = await new_key(tmp_path, admin=True)
    response = await server.post("/", data={"key": secret}, follow_redirects=True)
    assert "This browser may decode" in response.text
    [cookie] = response.history[0].headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert secret not in cookie
    assert (await server.post("/decode", json=await encrypted())).status_code == 200
    monkeypatch.setattr("continuo.access.ring.STALE", 0.0)
    async with aclosing(open_store(Settings(data=tmp_path), {})) as store:
        [stored] = await ApiKeys(store).all()
        await ApiKeys(store).revoke(stored.key.id, datetime.now(UTC) - timedelta(seconds=1))
    assert (await server.post("/decode", json=await encrypted())).status_code == 401


async def test_only_the_pages_of_the_ui_may_read_an_answer(server: httpx.AsyncClient) -> None:
    def asking(origin: str) -> dict[str, str]:
        return {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-namespace",
        }

    allowed = await server.options("/decode", headers=asking(UI))
    assert allowed.headers["access-control-allow-origin"] == UI
    assert allowed.headers["access-control-allow-credentials"] == "true"
    for origin in ("http://127.0.0.1:8234", "https://evil.example", "null"):
        assert "access-control-allow-origin" not in (await server.options("/decode", headers=asking(origin))).headers
        refused = await server.post("/decode", headers={"origin": origin})
        assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("body", [b"", b"{", b'{"payloads": 1}', b'{"payloads": " ..."}', b"[" * 5000])
async def test_what_is_no_list_of_payloads_is_refused(server: httpx.AsyncClient, tmp_path: Path, body: bytes) -> None:
    headers = {"authorization": f"Bearer {await new_key(tmp_path, admin=True)}"}
    response = await server.post("/decode", content=body, headers=headers)
    assert response.status_code == 400
    assert "payloads" in response.json()["message"]


async def test_a_payload_of_another_key_and_a_body_without_end_are_told(
    server: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"authorization": f"Bearer {await new_key(tmp_path, admin=True)}"}
    monkeypatch.setenv(VARIABLE, f"other:{b64encode(os.urandom(BYTES)).decode()}")
    response = await server.post("/decode", json=await encrypted(), headers=headers)
    assert (response.status_code, "has no key 'other'" in response.json()["message"]) == (400, True)
    monkeypatch.setattr(codec_server, "BODY", 1000)
    response = await server.post("/decode", content=b" " * 2000, headers=headers)
    assert response.status_code == 413


def test_without_a_key_there_is_nothing_to_decode(environ: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="nothing is encrypted"):
        create(UI)
