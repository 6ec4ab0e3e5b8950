from pathlib import Path

import pytest
from hypothesis import given

from continuo.catalog import Catalog
from continuo.errors import InputError
from continuo.jobs import Context
from continuo.patterns import Call, Http, Saga, SagaStep, Spec, Step, Template
from continuo.prepare import MAX_INPUT_BYTES, check_services, check_text, resolved, validated
from continuo.settings import environment
from continuo.walk import replaced, specs
from tests.trees import trees

CATALOG = Catalog.model_validate(
    {
        "providers": {
            "vendor": {"protocol": "openai", "base_url": "https://vendor.test/v1", "key_env": "VENDOR_KEY"},
            "own": {"protocol": "openai", "base_url_env": "OWN_URL"},
            "sim": {"protocol": "openai", "base_url": "http://127.0.0.1:1/v1", "simulated": True},
        },
        "models": {
            "big": {"provider": "vendor"},
            "old": {"provider": "vendor", "replaced_by": "big"},
            "house": {"provider": "own"},
            "pretend": {"provider": "sim"},
        },
        "aliases": {"premium": ["old", "pretend"]},
        "services": {"stock": {"base_url": "http://127.0.0.1:2", "key_env": "STOCK_KEY"}},
    }
)

steps = trees(["big", "premium"], depth=3)


@given(steps)
def test_replacing_nothing_changes_nothing(step: Step) -> None:
    assert replaced(step, lambda spec: spec) == step


@given(steps)
def test_every_alias_is_resolved_however_deep_and_the_shape_stays(step: Step) -> None:
    found = resolved(step, CATALOG, {"VENDOR_KEY": "k"}, simulated=False)
    assert [spec.kind for spec in specs(found)] == [spec.kind for spec in specs(step)]  # type: ignore[attr-defined]
    assert {spec.model for spec in specs(found) if isinstance(spec, Call)} <= {"big"}


def model(name: str, environ: dict[str, str], *, simulated: bool = False) -> str:
    found: Spec = resolved(Call(model=name), CATALOG, environ, simulated=simulated)
    assert isinstance(found, Call)
    return found.model


def test_an_alias_is_the_first_of_its_models_that_has_its_key() -> None:
    assert model("premium", {"VENDOR_KEY": "k"}) == "big"
    assert model("premium", {}) == "pretend"


def test_simulated_only_passes_over_models_that_cost_money() -> None:
    assert model("premium", {"VENDOR_KEY": "k"}, simulated=True) == "pretend"


def test_a_retired_model_is_answered_by_its_replacement() -> None:
    assert model("old", {"VENDOR_KEY": "k"}) == "big"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bigg", "unknown model 'bigg'; did you mean 'big'?"),
        ("big", "set VENDOR_KEY in the environment"),
        ("house", "set OWN_URL in the environment"),
    ],
)
def test_a_model_that_cannot_be_used_says_what_to_do(name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        model(name, {})


@pytest.mark.parametrize(
    ("service", "path", "environ", "says"),
    [
        ("stok", "/x", {}, "unknown service 'stok'; did you mean 'stock'?"),
        ("stock", "/x", {}, "set STOCK_KEY"),
        ("stock", "/{order_id}", {"STOCK_KEY": "k"}, "no field 'order_id'"),
    ],
)
def test_a_service_that_cannot_be_used_says_what_to_do(
    service: str, path: str, environ: dict[str, str], says: str
) -> None:
    step = Saga(steps=(SagaStep(name="s", do=Template(text="t"), undo=Http(service=service, path=path)),))
    with pytest.raises(InputError, match=says):
        check_services(step, CATALOG, environ, {"id": 1})


def test_a_service_with_its_key_and_its_data_is_fine() -> None:
    check_services(Http(service="stock", path="/{id}/{saga}"), CATALOG, {"STOCK_KEY": "k"}, {"id": 1})


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_INPUT_BYTES + 1)])
def test_a_prompt_that_cannot_be_asked_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="the prompt"):
        check_text("the prompt", text)


def test_a_bad_field_is_named_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^deadline: 'soon' is not a duration[^\n]*$"):
        validated(Context, pattern="p", deadline="soon")


def test_a_key_may_be_mounted_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n", encoding="utf-8")
    mounted = {"VENDOR_KEY_FILE": str(tmp_path / "key")}
    assert environment(mounted)["VENDOR_KEY"] == "secret"
    assert environment({**mounted, "VENDOR_KEY": "set"})["VENDOR_KEY"] == "set"
