"""The catalog that ships."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from continuo.activities.deployments import FORGOTTEN
from continuo.config.catalog import Catalog, Price, Provider, Strategy, load_catalog
from continuo.config.settings import Settings
from continuo.decisions.deployments import CACHED_FROM
from continuo.errors import InputError
from continuo.messages import Message, ModelRequest, Usage
from tests.support.repository import ROOT

CATALOG = load_catalog(Settings().catalog)
tokens = st.integers(0, 10**9)


def test_it_covers_the_providers_that_are_promised() -> None:
    promised = {"openai", "azure", "anthropic", "google", "groq", "openrouter", "huggingface", "ollama", "vllm"}
    assert promised <= CATALOG.providers.keys()


@pytest.mark.parametrize("alias", CATALOG.aliases)
def test_every_alias_ends_in_a_simulated_model_so_that_it_always_answers(alias: str) -> None:
    last = CATALOG.models[CATALOG.aliases[alias][-1]]
    assert CATALOG.providers[last.provider].simulated


def test_the_backup_is_of_another_vendor_than_the_first_choice() -> None:
    premium, backup = (CATALOG.models[CATALOG.aliases[alias][0]].provider for alias in ("premium", "backup"))
    assert premium != backup


@pytest.mark.parametrize("usable", list(itertools.combinations(["anthropic", "openai", "google"], 2)))
def test_with_the_keys_of_any_two_vendors_the_backup_is_of_the_other_one(usable: tuple[str, str]) -> None:
    def unavailable(provider: Provider) -> str | None:
        return None if provider in [CATALOG.providers[name] for name in usable] else "no key"

    assert {CATALOG.resolve(alias, unavailable).provider for alias in ("premium", "backup")} == set(usable)


def test_a_retired_model_leads_to_one_that_is_not() -> None:
    retired = [model for model in CATALOG.models.values() if model.replaced_by]
    assert {"gpt-4-turbo", "claude-3-opus", "gemini-1.5-pro"} <= {model.id for model in retired}
    for model in retired:
        assert CATALOG.resolve(model.id, lambda _: None).replaced_by is None


def test_every_price_says_where_it_was_read() -> None:
    prices = [(model.provider, model.price) for model in CATALOG.models.values() if model.price]
    assert len(prices) > 10
    for provider, price in prices:
        simulated_or_local = CATALOG.providers[provider].simulated or price.source == "local"
        assert simulated_or_local or price.source.startswith("https://")


@given(st.builds(Usage, input_tokens=tokens, output_tokens=tokens), st.integers(0, 10**9))
def test_a_cost_is_never_negative_and_cached_tokens_never_cost_more_than_fresh_ones(usage: Usage, read: int) -> None:
    price = Price.model_validate({"input": 2, "output": 8, "cached": 0.5, "source": "s", "date": "2026-11-21"})
    cached = usage.model_copy(update={"cached_tokens": min(read, usage.input_tokens)})
    assert 0 <= price.cost(cached) <= price.cost(usage)


def test_a_price_without_one_for_cached_tokens_counts_them_as_fresh() -> None:
    price = Price.model_validate({"input": 2, "output": 8, "source": "s", "date": "2026-11-21"})
    assert price.cost(Usage(input_tokens=1_000_000, cached_tokens=400_000)) == 2


def test_a_mistake_of_two_lines_together_is_told_without_an_empty_field(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text('[models.a]\nprovider = "nobody"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"catalog\.toml: unknown provider of model 'a': 'nobody'"):
        load_catalog(path)


def test_a_model_cannot_take_what_its_protocol_does_not_carry() -> None:
    providers = {"p": {"protocol": "anthropic", "base_url": "http://x"}}
    models = {"m": {"provider": "p", "inputs": ["text", "audio"]}}
    with pytest.raises(ValidationError, match="model 'm': its provider's protocol carries no audio; take it from"):
        Catalog.model_validate({"providers": providers, "models": models})


def test_no_model_embeds_in_place_of_another() -> None:
    turns = (Message(role="user", content="Hello"),)
    embed, words = ModelRequest(messages=turns, embed=True), ModelRequest(messages=turns)
    assert [CATALOG.takes(CATALOG.models["sim-embed"], request) for request in (embed, words)] == [False, False]
    assert [CATALOG.takes(CATALOG.models["sim-mini"], request) for request in (embed, words)] == [False, True]


def test_only_a_model_that_embeds_has_a_micro_batch() -> None:
    providers = {"p": {"protocol": "openai", "base_url": "http://x"}}
    with pytest.raises(ValidationError, match="micro_batch is for models that embed; take it out, or set `embeds"):
        Catalog.model_validate({"providers": providers, "models": {"m": {"provider": "p", "micro_batch": {}}}})


@pytest.mark.parametrize(
    ("field", "value"), [("window", "11s"), ("window", 0), ("max_inputs", 1), ("max_tokens", 0), ("size", 5)]
)
def test_a_micro_batch_has_sensible_bounds(field: str, value: object) -> None:
    providers = {"p": {"protocol": "openai", "base_url": "http://x"}}
    model = {"provider": "p", "embeds": True, "micro_batch": {field: value}}
    with pytest.raises(ValidationError, match=f"micro_batch.{field}"):
        Catalog.model_validate({"providers": providers, "models": {"m": model}})


def test_a_model_cannot_embed_by_a_protocol_without_embeddings() -> None:
    with pytest.raises(ValidationError, match="model 'm' embeds, and its provider's protocol has no embeddings"):
        Catalog.model_validate(
            {"providers": {"p": {"protocol": "anthropic"}}, "models": {"m": {"provider": "p", "embeds": True}}}
        )


def deployed(*deployments: dict[str, object], **model: object) -> Catalog:
    providers = {
        "p": {"protocol": "openai", "base_url": "http://x", "base_url_env": "X_URL", "key_env": "X_KEY", "path": "/v1"},
        "of-env": {"protocol": "openai", "base_url_env": "Y_URL"},
        "nowhere": {"protocol": "openai"},
        "other": {"protocol": "anthropic", "base_url": "http://x"},
    }
    lines = {"m": {"provider": "p", "deployments": list(deployments), **model}}
    return Catalog.model_validate({"providers": providers, "models": lines})


def test_a_deployment_is_a_provider_that_differs_in_what_it_says() -> None:
    catalog = deployed(
        {"id": "eu", "base_url": "http://eu", "region": "eu-west", "limits": {"concurrency": 3}, "name": "m-eu"},
        {"id": "us", "key_env": "US_KEY"},
        {"id": "azure", "provider": "of-env", "price": {"input": 1, "output": 1, "source": "s", "date": "2026-11-21"}},
    )
    eu, us, azure = catalog.models["m"].deployed
    assert [(one.provider, one.name, one.price is not None) for one in (eu, us, azure)] == [
        ("p/eu", "m-eu", False),
        ("p/us", "m", False),
        ("of-env/azure", "m", True),
    ]
    environ = {"X_URL": "http://env"}
    places = [catalog.providers[one.provider] for one in (eu, us)]
    assert [place.url(environ) for place in places] == ["http://eu/v1", "http://env/v1"]
    assert [place.key_env for place in places] == ["X_KEY", "US_KEY"]
    assert [place.limits.concurrency for place in places] == [3, None]


@pytest.mark.parametrize(
    ("deployment", "model", "message"),
    [
        ({"id": "eu", "weight": 0}, {}, r"deployments\.0\.weight\n.*greater than or equal to 0\.001"),
        ({"id": "eu"}, {"strategy": "cheapest"}, r"strategy\n.*'least_busy', 'lowest_latency', 'weight' or 'cost'"),
        ({"weight": 1}, {}, r"deployments\.0\.id\n.*required"),
        ({"id": "a/b"}, {}, r"deployments\.0\.id\n.*match pattern"),
        ({"id": "eu", "wieght": 1}, {}, r"deployments\.0\.wieght\n.*not permitted"),
        ({"id": "one"}, {}, "two deployments have the id 'one'; give each its own"),
        ({"id": "eu", "provider": "q"}, {}, "unknown provider of deployment 'eu' of model 'm': 'q'"),
        ({"id": "eu", "provider": "nowhere"}, {}, "deployment 'eu' of model 'm' has no address; give it a base_url"),
        ({"id": "eu", "provider": "other"}, {}, "protocol 'anthropic', and its model by 'openai'; name a provider of"),
    ],
)
def test_a_deployment_that_is_wrong_is_named_with_the_fix(
    deployment: dict[str, object], model: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        deployed(deployment, {"id": "one"}, **model)


def test_two_models_share_a_deployment_only_where_both_say_the_same_of_it() -> None:
    def sharing(base_url: str) -> Catalog:
        lines = {
            name: {"provider": "p", "deployments": [{"id": "eu", "name": f"{name}-eu", "base_url": url}]}
            for name, url in (("m", "http://eu"), ("n", base_url))
        }
        providers = {"p": {"protocol": "openai", "base_url": "http://x"}}
        return Catalog.model_validate({"providers": providers, "models": lines})

    assert {model.deployed[0].provider for model in sharing("http://eu").models.values()} == {"p/eu"}
    with pytest.raises(ValidationError, match="deployment 'eu' of model 'n' is called 'p/eu', as another one is"):
        sharing("http://other")


def test_the_example_of_the_operators_page_is_a_right_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    [text] = [text for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "deployments" in text]
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")
    catalog = load_catalog(tmp_path / "catalog.toml")
    us, eu, sweden = catalog.models["gpt-6.1-sol"].deployed
    assert [one.provider for one in (us, eu, sweden)] == ["openai/us", "openai/eu", "azure/sweden"]
    assert (us.price, sweden.name) == (catalog.models["gpt-6.1-sol"].price, "our-sol")
    assert catalog.providers["azure/sweden"].key_header == "api-key"
    assert f"Prompts of {CACHED_FROM:,} tokens" in page
    assert f"was seen for {FORGOTTEN:.0f} s" in page
    assert [strategy for strategy in get_args(Strategy) if f"| `{strategy}`" not in page] == []


def test_a_model_can_be_used_where_one_of_its_deployments_can() -> None:
    catalog = deployed({"id": "eu", "key_env": "EU"}, {"id": "us", "key_env": "US"})

    def lacking(*names: str) -> Callable[[Provider], str | None]:
        return lambda provider: f"set {provider.key_env}" if provider.key_env in names else None

    assert catalog.resolve("m", lacking("EU")).id == "m"
    with pytest.raises(InputError, match="model 'm' cannot be used here; m: set EU or set US"):
        catalog.resolve("m", lacking("EU", "US"))


def test_only_a_provider_whose_protocol_has_batches_has_a_price_of_them() -> None:
    with pytest.raises(ValidationError, match="provider 'k' has a batch_price, and protocol 'knowledge' no batches"):
        Catalog.model_validate({"providers": {"k": {"protocol": "knowledge", "batch_price": 0.5}}, "models": {}})
