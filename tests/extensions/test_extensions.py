"""One place to add a thing: a package of one's own adds a pattern, a provider and a store by having their files."""

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from continuo.testing.processes import Control, pool_process, running
from tests.client.scripts import script
from tests.extensions.toy import CATALOG, PATTERN, written
from tests.support.commands import anew


@pytest.fixture
def parrot(httpserver: HTTPServer) -> HTTPServer:
    """The toy provider: a server on loopback that repeats what it is told."""

    def say(request: Request) -> Response:
        body = json.loads(request.get_data())
        return Response(json.dumps({"said": f"Polly says: {body['text']}"}), content_type="application/json")

    httpserver.expect_request("/say", method="POST").respond_with_handler(say)
    httpserver.expect_request("/embed", method="POST").respond_with_json({"vector": [1.0, 0.0]})
    return httpserver


@pytest.fixture
def toy(tmp_path: Path, parrot: HTTPServer) -> dict[str, str]:
    """The environment of a process where the toy package is installed."""
    written(tmp_path / "site")
    (tmp_path / "catalog.toml").write_text(CATALOG.format(url=parrot.url_for("").rstrip("/")), encoding="utf-8")
    (tmp_path / "checked.yaml").write_text(PATTERN, encoding="utf-8")
    return {
        "PYTHONPATH": str(tmp_path / "site"),
        "CONTINUO_CATALOG": str(tmp_path / "catalog.toml"),
        "DATABASE_URL": f"single:{tmp_path / 'store.db'}",
    }


@pytest.mark.usefixtures("temporal")
async def test_a_pattern_a_provider_and_a_store_of_a_package_run_on_a_pool_in_the_sandbox(
    toy: dict[str, str], simulator: Control, tmp_path: Path
) -> None:
    await simulator.behave("sim-mid", text="On its way.")
    async with running(pool_process("batch", tmp_path / "pool.log", **toy)):
        ran = await anew("run", str(tmp_path / "checked.yaml"), "Where?", "--priority", "batch", "--json", **toy)
    assert ran.code == 0, (ran, (tmp_path / "pool.log").read_text())
    outcome = json.loads(ran.out)
    assert outcome["text"] == "On its way."
    assert [(call["path"], call["model"]) for call in outcome["calls"]] == [
        ("tier1.answer", "sim-mid"),
        ("tier1.check", "polly"),
    ]
    costs = await anew("costs", "--by", "model", **toy)
    assert "sim-mid" in costs.out
    assert "polly" in costs.out
    assert (tmp_path / "store.db").exists()


async def test_what_is_seen_before_a_run_knows_the_pattern_too(toy: dict[str, str], tmp_path: Path) -> None:
    seen = await anew("explain", str(tmp_path / "checked.yaml"), **toy)
    assert (seen.code, seen.err) == (0, "")
    assert "checked by polly, isolated" in " ".join(seen.out.split())
    schema = await anew("schema", **toy)
    assert "Checked" in json.loads(schema.out)["$defs"]


async def test_the_package_s_specs_can_be_imported_first(toy: dict[str, str]) -> None:
    text = """
from toy.patterns.checked import Checked
from continuo.patterns import Call, Fallback
from continuo.patterns.walk import streaming

step = Fallback(steps=(Checked(step=Call(model="a"), checker="b"), Call(model="c")))
assert list(streaming(step)) == ["tier1.answer", "tier2"]
assert Fallback.model_validate_json(step.model_dump_json()) == step
"""
    await script(text, **toy)


async def test_the_provider_thinks_embeds_and_refuses_what_it_lacks(toy: dict[str, str], tmp_path: Path) -> None:
    text = """
import asyncio
from array import array
from continuo.authoring.library import Library
from continuo.messages import Message, ModelRequest
from continuo.parts import Reasoning
from continuo.providers.client import ModelClient
from continuo.wire.signatures import signature, thought

async def main():
    library = Library()
    client = ModelClient(library.catalog, library.environ, library.settings.knowledge, library.masker)
    polly = library.catalog.models["polly"]
    assert library.catalog.refused_by(polly) == {"seed", "logprobs", "embed", "dimensions", "tokens", "segments"}
    asked = ModelRequest(messages=(Message(role="user", content="x"),))
    found = await client.embed(polly, asked, timeout=5, idempotency_key="k")
    assert list(array("f", found.vectors)) == [1.0, 0.0]
    answer = await client.complete(polly, asked, timeout=5, idempotency_key="k")
    [thinking, _] = answer.message.parts
    # It goes through a dialect of another protocol and comes back as it was.
    assert thought("anthropic", signature("anthropic", thinking.protocol, "s"), text="Hm.") == thinking
    assert thinking == Reasoning(protocol="parrot", text="Hm.", signature="s")
    await client.aclose()

asyncio.run(main())
"""
    await script(text, **toy)


async def test_the_store_keeps_the_contract_of_a_database(toy: dict[str, str]) -> None:
    text = """
import asyncio
from continuo.config.settings import Settings, environment
from continuo.stores.opened import open_store, opened_payloads

def wrong(connection):
    connection.execute("INSERT INTO breakers VALUES ('openai', 1, '')")
    raise LookupError("a bug")

async def main():
    database = open_store(Settings(), environment())
    try:
        await database.write(wrong)
    except LookupError:
        pass
    assert await database.read("SELECT * FROM breakers") == []
    await database.write(lambda connection: connection.execute("INSERT INTO breakers VALUES ('groq', 1, '')"))
    assert await database.read("SELECT provider FROM breakers WHERE version = ?", (1,)) == [{"provider": "groq"}]
    async with opened_payloads(Settings(), environment(), database) as large:
        assert large is database
    await database.aclose()
    again = open_store(Settings(), environment())
    assert len(await again.read("SELECT * FROM breakers")) == 1
    await again.aclose()

asyncio.run(main())
"""
    await script(text, **toy)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("DATABASE_URL", "gopher://ada:secret@x", "DATABASE_URL: not the URL of a store; write one that begins with"),
        ("REDIS_URL", "secret", "REDIS_URL: not the URL of a store; write one that begins with a scheme of these:"),
    ],
)
async def test_a_url_that_no_backend_has_is_one_line_without_its_secret(
    toy: dict[str, str], variable: str, value: str, says: str
) -> None:
    command = ("costs",) if variable == "DATABASE_URL" else ("cache", "list")
    ended = await anew(*command, **{**toy, variable: value})
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert says in ended.err
    assert "secret" not in ended.err


async def test_a_protocol_that_nobody_has_is_named_with_those_that_are_there(
    toy: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "catalog.toml").write_text('[providers.x]\nprotocol = "client"\n', encoding="utf-8")
    ended = await anew("models", **toy)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "unknown protocol 'client'; known: anthropic, google, knowledge, kserve, openai, parrot" in ended.err


async def test_an_entry_point_that_names_no_package_is_one_line(toy: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "site" / "toy-1.0.dist-info" / "entry_points.txt").write_text("[continuo]\ntoy = gone\n")
    ended = await anew("patterns", **toy)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "an entry point of the group 'continuo' names no package: No module named 'gone'; correct it" in ended.err


async def test_a_pattern_that_is_imported_too_early_says_what_to_write(toy: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "site" / "toy" / "__init__.py").write_text("")
    says = "begin toy/__init__.py with `import continuo.patterns`"
    text = f"""
try:
    import toy.patterns.checked
except ImportError as error:
    assert {says!r} in str(error), error
else:
    raise AssertionError
"""
    await script(text, **toy)
