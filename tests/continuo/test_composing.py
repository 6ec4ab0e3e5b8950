"""What is composed from a wish is within its limits; what a model writes is checked as any stranger's text."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuo.authoring.composing import COMPOSABLE, MAX_STEPS, Composer, Composition, usable
from continuo.authoring.estimate import estimate
from continuo.authoring.files import read_yaml
from continuo.authoring.library import Library
from continuo.authoring.to_yaml import to_yaml
from continuo.config.settings import Settings
from continuo.decisions.composing import MAX_MISTAKE, composed_by
from continuo.errors import InputError
from continuo.jobs import Failure, Outcome
from continuo.messages import Message, ModelRequest
from continuo.patterns import Auto, Call, Limits, Spec
from continuo.patterns.auto import MAX_CALLS, MAX_TEXT
from continuo.patterns.walk import specs
from tests.support.trees import trees

LIBRARY = Library(Settings(simulated=True), {"CONTINUO_SIM_URL": "http://127.0.0.1:1"})
MODELS = usable(LIBRARY)
LIMITS = Limits()
REQUEST = ModelRequest(messages=(Message(role="user", content="Where is it?"),))
WORDS = ("accurate", "FAQs", "reliably", "easy and hard", "reports", "undo payments", "priorities", "hello")


def composer(wish: str = "x", limits: Limits = LIMITS, tokens: int = 1000) -> Composer:
    return Composer(LIBRARY, Auto(wish=wish, limits=limits), MODELS, REQUEST, tokens, tokens)


def shapes(wish: str, **limits: float) -> list[str]:
    return [composition.reasons[-1] for composition in composer(wish, Limits(**limits)).by_rules()]


def check(composition: Composition, limits: Limits) -> None:
    """It holds the limits, and its YAML is the same pattern."""
    assert composition.worst.cost_usd is not None
    assert composition.worst.cost_usd <= limits.cost_usd
    assert composition.worst.seconds <= limits.seconds
    assert composition.worst.calls <= MAX_CALLS
    assert all(isinstance(spec, COMPOSABLE) for spec in specs(composition.step))
    assert read_yaml(to_yaml(composition.pattern), "pattern", type(composition.pattern)) == composition.pattern


def test_models_are_those_that_write_have_a_price_and_can_be_used_here_the_cheapest_first() -> None:
    assert [model.id for model in MODELS] == ["sim-free", "sim-flash", "sim-mini", "sim-mid", "sim-pro", "sim-premium"]
    assert [model.id for model in usable(LIBRARY, ["premium", "mini", "sim-mini"])] == ["sim-mini", "sim-premium"]
    with pytest.raises(InputError, match="unknown model 'sim-mni'; did you mean 'sim-mini'"):
        usable(LIBRARY, ["sim-mni"])
    with pytest.raises(InputError, match="no model that writes text and has a price"):
        usable(LIBRARY, ["sim-embed"])


@pytest.mark.parametrize(
    ("wish", "shape"),
    [
        ("Say hello", "call sim-premium"),
        ("Answer the same questions", "cached(call sim-premium)"),
        ("Always answer, whatever is down: reliable", "deadline(fallback(call sim-premium, call sim-mid))"),
        ("Easy and hard questions", "route(call sim-free, call sim-mid, call sim-premium)"),
        ("Undo bookings", "call sim-premium"),
    ],
)
def test_the_words_of_a_wish_say_which_kinds_fit(wish: str, shape: str) -> None:
    assert shapes(wish)[0] == shape


def test_without_a_limit_that_forbids_it_the_dearest_model_is_first_and_cheaper_ones_follow() -> None:
    assert shapes("Say hello") == ["call sim-premium", "call sim-mid", "call sim-free"]
    # A call is tried three times at worst, and sim-mid costs $5 a million tokens.
    assert shapes("Say hello", cost_usd=3 * 2000 * 5 / 1e6)[0] in ("call sim-mid", "call sim-pro")


def test_what_services_do_is_left_to_a_person_and_told() -> None:
    [*_, left, shape] = composer("Undo bookings").by_rules()[0].reasons
    assert left.startswith("left out, since models alone cannot: saga: ")
    assert shape == "call sim-premium"


def test_where_nothing_is_cheap_enough_the_error_says_so() -> None:
    dear = Composer(LIBRARY, Auto(wish="x", limits=Limits(cost_usd=1e-6)), MODELS[1:], REQUEST, 1000, 500)
    with pytest.raises(InputError, match=re.escape("at worst, more than the limit of $1e-06; use cheaper models")):
        dear.by_rules()


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(WORDS), min_size=1).map(" ".join),
    st.floats(1e-6, 100),
    st.floats(0.1, 10_000),
    st.integers(0, 100_000),
)
def test_rules_never_pass_the_limits(wish: str, cost_usd: float, seconds: float, tokens: int) -> None:
    limits = Limits(cost_usd=cost_usd, seconds=seconds)
    for composition in composer(wish, Limits(cost_usd=cost_usd, seconds=seconds), tokens).by_rules():
        check(composition, limits)


STEPS = "\n".join(["- {kind: call, model: sim-free}"] * (MAX_STEPS + 1))
HOSTILE = {
    "kind 'python' cannot be composed; use call, ": "{kind: python, function: 'os:system'}",
    "kind 'http' cannot be composed": "{kind: http, service: inventory, path: /}",
    "kind 'named' cannot be composed": "{kind: named, pattern: order}",
    "kind 'auto' cannot be composed": "{kind: fallback, steps: [{kind: auto, wish: again}]}",
    "kind 'guard' cannot be composed": "{kind: guard, step: {kind: call, model: sim-free}, checks: {blocked_file: /x}}",
    "unknown kind 'cal'; did you mean 'call'": "{kind: cal, model: sim-free}",
    "unknown model 'gpt-4'; known: sim-flash": "{kind: call, model: gpt-4}",
    "unknown model 'sim-embed'": "{kind: cached, semantic: {model: sim-embed}, step: {kind: template, text: x}}",
    "a template says `ruled`": "{kind: template, text: x, ruled: true}",
    "calls at worst, more than 100": "{kind: call, model: sim-free, retry: {attempts: 101}}",
    "more than the limit of $1;": "{kind: call, model: sim-premium, retry: {attempts: 100}}",
    "more than 200 lists and mappings": "[" * 300,
    "pattern:2: pattern": "no",
    "an alias inside of what it stands for": "&a [*a]",
    f"has {MAX_STEPS + 2} steps, more than {MAX_STEPS}": f"\n kind: fallback\n steps:\n{STEPS}".replace("\n-", "\n  -"),
}


@pytest.mark.parametrize("mistake", HOSTILE)
def test_what_a_model_writes_is_refused_with_its_mistake(mistake: str) -> None:
    with pytest.raises(InputError, match=re.escape(mistake)):
        composer(tokens=10_000 if "$" in mistake else 1000).of_model(f"description: Mine.\npattern: {HOSTILE[mistake]}")


def test_an_answer_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(InputError, match="more than 20,000 characters"):
        composer().of_model("x" * (MAX_TEXT + 1))


def test_a_fence_is_taken_off_and_the_wish_is_the_description() -> None:
    written = "description: Theirs.\npattern:\n  kind: call\n  model: sim-mini"
    fenced = composer("My\n wish").of_model(f"\n```yaml\n{written}\n```\n")
    assert fenced.pattern.description == "My wish"
    assert fenced == composer("My\n wish").of_model(written)


@given(st.text("{}[]:-&*!%?,#|>'\" \n\tabkind", max_size=60))
def test_any_text_of_a_model_is_a_pattern_or_a_mistake(text: str) -> None:
    with suppress(InputError):
        check(composer().of_model(text), Limits())


@settings(max_examples=25)
@given(trees(["sim-free", "sim-mini"], depth=3))
def test_any_pattern_of_a_model_is_within_the_limits_or_a_mistake(step: Spec) -> None:
    pattern = composer().by_rules()[0].pattern.model_copy(update={"pattern": step})
    with suppress(InputError):
        check(composer().of_model(to_yaml(pattern)), Limits())


def test_a_model_is_told_all_kinds_and_models_that_it_may_use_and_an_example_that_it_could_write() -> None:
    told = composer(limits=Limits(cost_usd=0.5)).instructions()
    assert all(f"- {kind.model_fields['kind'].default}: " in told for kind in COMPOSABLE)
    assert all(f"- {model.id} (" in told for model in MODELS)
    assert "at most $0.5 " in told
    example = told[told.index("description:") : told.index("\nWith every retry")]
    assert composer().of_model(example).reasons[-1] == "deadline(fallback(call sim-premium, call sim-free))"


async def replies(*texts: str) -> tuple[object, tuple[str, ...], list[tuple[Message, ...]]]:
    """What comes of a model that says these, one after the other, of which `good` is a pattern."""
    asked: list[tuple[Message, ...]] = []

    async def ask(turns: tuple[Message, ...]) -> Outcome | Failure:
        asked.append(turns)
        text = texts[len(asked) - 1]
        return Failure(type="server_error", message="down") if text == "down" else Outcome(text=text, served_by="model")

    async def check(text: str) -> Call | str:
        return Call(model="mini") if text == "good" else f"wrong:\n{text * 200}"

    pattern, wrong = await composed_by(ask, check, "A wish")
    return pattern, wrong, asked


async def test_a_model_is_told_its_mistake_in_one_short_line_and_asked_once_more() -> None:
    pattern, [mistake], [first, second] = await replies("bad!", "good")
    assert pattern == Call(model="mini")
    assert (len(mistake), mistake[:12]) == (MAX_MISTAKE, "wrong: bad!b")
    assert [turn.content for turn in first] == ["A wish"]
    assert [turn.role for turn in second] == ["user", "assistant", "user"]
    assert mistake in str(second[-1].content)


async def test_it_is_not_asked_a_third_time_nor_again_where_it_fails() -> None:
    assert (await replies("bad", "bad"))[0] is None
    assert (await replies("down"))[:2] == (None, ("server_error: down",))


def test_an_auto_costs_at_worst_its_limits_and_two_tries_of_its_model() -> None:
    auto = Auto(wish="x", by="sim-mini", limits=Limits(cost_usd=0.5, seconds=30))
    worst = estimate(auto, LIBRARY.catalog, input_tokens=1000, output_tokens=1000)
    one = estimate(Call(model="sim-mini"), LIBRARY.catalog, input_tokens=1000, output_tokens=1000)
    assert worst.calls == MAX_CALLS + 2 * one.calls
    assert worst.cost_usd == pytest.approx(0.5 + 2 * (one.cost_usd or 0))
    assert worst.seconds == pytest.approx(30 + 2 * one.seconds)
