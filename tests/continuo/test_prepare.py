import pytest
from hypothesis import given
from pydantic import JsonValue, ValidationError

from continuo.authoring.prepare import (
    MAX_INPUT_BYTES,
    MAX_LEVELS,
    MAX_STEPS,
    check_data,
    check_services,
    check_size,
    check_text,
    resolved,
    validated,
)
from continuo.config.catalog import Catalog
from continuo.errors import InputError
from continuo.jobs import Context, Job
from continuo.messages import Message, ModelRequest
from continuo.patterns import (
    Adaptive,
    Agent,
    AgentTool,
    Call,
    Deadline,
    Fallback,
    Http,
    Review,
    Saga,
    SagaStep,
    Spec,
    Split,
    Step,
    Template,
    Variant,
)
from continuo.patterns.review import Escalation
from continuo.patterns.walk import replaced, specs
from tests.support.trees import trees

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
            "gone": {"provider": "vendor", "retires": "2020-01-02", "replaced_by": "old"},
            "leaving": {"provider": "vendor", "retires": "9999-01-02", "replaced_by": "big"},
            "house": {"provider": "own"},
            "pretend": {"provider": "sim"},
        },
        "aliases": {"premium": ["old", "pretend"]},
        "services": {"stock": {"base_url": "http://127.0.0.1:2", "key_env": "STOCK_KEY"}},
    }
)

NO_SEGMENTS: dict[str, JsonValue] = {"null": None, "list": [1], "truth": True, "empty": "", "here": ".", "up": ".."}

steps = trees(["big", "premium"], depth=3)


@given(steps)
def test_replacing_nothing_changes_nothing(step: Step) -> None:
    assert replaced(step, lambda spec: spec) == step


@given(steps)
def test_every_alias_is_resolved_however_deep_and_the_shape_stays(step: Step) -> None:
    found = resolved(step, CATALOG, {"VENDOR_KEY": "k"}, simulated=False)
    assert [spec.kind for spec in specs(found)] == [spec.kind for spec in specs(step)]
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


def test_a_model_that_retires_is_replaced_from_that_day_on() -> None:
    assert model("leaving", {"VENDOR_KEY": "k"}) == "leaving"
    gone = resolved(Call(model="gone"), CATALOG, {"VENDOR_KEY": "k"}, simulated=False)
    assert gone == Call(model="big", replaces="gone")
    assert resolved(gone, CATALOG, {"VENDOR_KEY": "k"}, simulated=False) == gone


def test_a_model_that_is_replaced_by_itself_in_the_end_is_refused() -> None:
    circle = {"a": {"provider": "sim", "replaced_by": "b"}, "b": {"provider": "sim", "replaced_by": "a"}}
    with pytest.raises(ValidationError, match="model 'a' is replaced by itself in the end"):
        Catalog.model_validate({"providers": CATALOG.providers, "models": circle})


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
        ("stock", "/{order_id}", {"STOCK_KEY": "k"}, "'order_id' is missing"),
        *[("stock", f"/{{{name}}}", {"STOCK_KEY": "k"}, f"'{name}' is no text or number") for name in NO_SEGMENTS],
    ],
)
def test_a_service_that_cannot_be_used_says_what_to_do(
    service: str, path: str, environ: dict[str, str], says: str
) -> None:
    step = Saga(steps=(SagaStep(name="s", do=Template(text="t"), undo=Http(service=service, path=path)),))
    with pytest.raises(InputError, match=says):
        check_services(step, CATALOG, environ, {"id": 1, **NO_SEGMENTS})


def test_a_service_with_its_key_and_its_data_is_fine() -> None:
    check_services(Http(service="stock", path="/{id}/{saga}"), CATALOG, {"STOCK_KEY": "k"}, {"id": 1})


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_INPUT_BYTES + 1)])
def test_a_prompt_that_cannot_be_asked_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="the prompt"):
        check_text("the prompt", text)


def nested(levels: int) -> Step:
    step: Step = Template(text="t")
    for _ in range(levels - 1):
        step = Deadline(step, limit=1)
    return step


def doubled(times: int) -> Step:
    step: Step = Template(text="t")
    for _ in range(times):
        step = Fallback(steps=(step, step))
    return step


def named(name: str, levels: int) -> Step:
    step: Step = Template(text="t")
    for _ in range(levels):
        step = Split(variants={name: Variant(step=step)})
    return step


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (nested(MAX_LEVELS + 1), "more than 50 steps inside each other"),
        (nested(10_000), "more than 50 steps inside each other"),
        (Fallback(steps=(Template(text="t"),) * MAX_STEPS), "more than 10,000 steps"),
        (doubled(40), "more than 10,000 steps"),
        (named("ü" * 40, 5), "over 400 bytes"),
    ],
    ids=["deep", "deeper", "wide", "doubled", "long"],
)
def test_a_pattern_that_is_too_large_to_run_is_refused(step: Step, says: str) -> None:
    with pytest.raises(InputError, match=says):
        resolved(step, CATALOG, {}, simulated=True)


def test_an_adaptive_split_is_refused_inside_another_pattern() -> None:
    split = Split(variants={"a": Variant(step=Template(text="t"))}, adaptive=Adaptive(least=1))
    assert resolved(split, CATALOG, {}, simulated=True) == split
    with pytest.raises(InputError, match="adaptive: this split stands inside a fallback, and learns from"):
        resolved(Fallback(steps=(Template(text="t"), split)), CATALOG, {}, simulated=True)


@pytest.mark.parametrize(
    ("adaptive", "weight", "says"),
    [
        ({"floor": 0.5}, 1.0, "a floor of 0.5 for each of 3 is over 1; lower it"),
        ({}, 0.01, "of the last 500 some 2.5 are of 'c', and 10 are needed to shift; raise its weight or the window"),
        ({"floor": 0.6}, 1.0, "adaptive.floor"),
        ({"min_quality": 1.1}, 1.0, "adaptive.min_quality"),
        ({"window": 9}, 1.0, "adaptive.window"),
        ({"least": 0}, 1.0, "adaptive.least"),
    ],
)
def test_bounds_of_an_adaptive_split_that_cannot_hold_are_refused(
    adaptive: dict[str, float], weight: float, says: str
) -> None:
    step = {"kind": "template", "text": "t"}
    variants = {"a": {"step": step}, "b": {"step": step}, "c": {"step": step, "weight": weight}}
    with pytest.raises(ValidationError, match=says):
        Split.model_validate({"variants": variants, "adaptive": adaptive})


def test_a_split_that_does_not_adapt_is_written_as_before() -> None:
    assert "adaptive" not in Split(variants={"a": Variant(step=Template(text="t"))}).model_dump_json()


def test_a_pattern_as_large_as_can_be_is_fine() -> None:
    for step in (nested(MAX_LEVELS), Fallback(steps=(Template(text="t"),) * (MAX_STEPS - 1)), named("a" * 40, 9)):
        assert resolved(step, CATALOG, {}, simulated=True) == step


def test_data_that_no_worker_could_read_is_refused() -> None:
    deep: JsonValue = 1
    for _ in range(MAX_LEVELS - 1):
        deep = [deep]
    check_data({"a": deep})
    with pytest.raises(InputError, match="more than 50 lists and objects"):
        check_data({"a": {"b": deep}})


def test_a_job_that_the_server_would_refuse_is_refused() -> None:
    request = ModelRequest(messages=(Message(role="user", content="hi"),))
    job = Job(step=Template(text="t" * 999_000), context=Context(pattern="p"), request=request)
    check_size(job)
    with pytest.raises(InputError, match="more than 2,000,000; shorten"):
        check_size(job.model_copy(update={"data": {"a": '"' * 999_000}}))


def test_a_bad_field_is_named_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^deadline: 'soon' is not a duration[^\n]*$"):
        validated(Context, pattern="p", deadline="soon")


def test_an_answer_is_gone_on_with_by_a_model_that_says_how() -> None:
    step = Call(model="pretend", on_break="continue")
    with pytest.raises(InputError, match=r"on_break is 'continue', and model 'pretend' does not .* `continues`"):
        resolved(step, CATALOG, {}, simulated=True)
    models = {id: {"provider": "sim", "cheaper": cheaper} for id, cheaper in (("dear", "cheap"), ("cheap", None))}
    catalog = Catalog.model_validate({"providers": CATALOG.providers, "models": models})
    dear = catalog.models["dear"].model_copy(update={"continues": "prefill"})
    catalog = catalog.model_copy(update={"models": {**catalog.models, "dear": dear}})
    with pytest.raises(InputError, match="model 'cheap'"):
        resolved(Call(model="dear", on_break="continue"), catalog, {}, simulated=True)
    assert resolved(Call(model="dear", on_break="restart"), catalog, {}, simulated=True)


def test_the_members_of_a_group_are_put_in_its_place_wherever_it_is_named() -> None:
    review = Review(group="editors", policy="majority", escalate=Escalation(after=60, group="bosses"))
    step = Agent(
        model=Call(model="pretend"),
        tools={"x": AgentTool(step=Template(text="x"), needs_approval=Review(group="bosses"))},
    )
    groups = {"editors": ("ann", "bob", "cy"), "bosses": ("dot",)}
    found = list(specs(resolved(Fallback(steps=(review, step)), CATALOG, {}, simulated=True, groups=groups)))
    reviews = [spec for spec in found if isinstance(spec, Review)]
    assert [(spec.reviewers, spec.group) for spec in reviews] == [(groups["editors"], None), (groups["bosses"], None)]
    assert reviews[0].escalate == Escalation(after=60, reviewers=("dot",))


def test_a_group_that_is_unknown_is_reported_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="unknown group 'editor'; did you mean 'editors'"):
        resolved(Review(group="editor"), CATALOG, {}, simulated=True, groups={"editors": ("ann",)})
