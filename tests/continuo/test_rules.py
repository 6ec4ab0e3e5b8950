"""Rules: what each condition says, which of them decides, and which stand in each other's way."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from continuo.authoring.library import Library
from continuo.config.rules import Hours, Rule, Rules, Value, When, load_rules
from continuo.config.settings import Settings
from continuo.decisions.folding import Phrases, folded
from continuo.decisions.rule_checks import check_reachable, overlaps
from continuo.decisions.rules import Question, RuleBook, answer, is_so
from continuo.errors import InputError
from tests.support.repository import ROOT

FRIDAY = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


def book(*rules: dict[str, Any]) -> RuleBook:
    named = [{"name": f"rule {number}", **rule} for number, rule in enumerate(rules, 1)]
    return RuleBook(Rules.model_validate({"rules": named}))


def asked(text: str = "", data: dict[str, Any] | None = None, **more: Any) -> Question:
    return Question(
        text, data or {}, more.get("tenant", "acme"), more.get("pattern", "support"), more.get("now", FRIDAY)
    )


def answering(**when: Any) -> dict[str, Any]:
    return {"when": when, "answer": "Yes."}


def holds(text: str = "", data: dict[str, Any] | None = None, **when: Any) -> bool:
    return book(answering(**when)).decided(asked(text, data)) is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("When do I get my REFUND?", ["refund"]),
        ("a café, please", ["CAFE"]),
        ("wann ist geöffnet", ["geoffnet"]),
        ("Straße", ["STRASSE"]),
        ("money\n  back!", ["money back"]),
        ("a re\u200bfund\u00ad", ["refund"]),
        ("is it ｒｅｆｕｎｄ", ["refund"]),  # noqa: RUF001
        ("请问营业时间是什么", ["营业时间"]),
        ("환불을 원해요", ["환불"]),
        ("I write C++.", ["c++"]),
    ],
)
def test_a_word_counts_whatever_its_case_accents_and_script(text: str, words: list[str]) -> None:
    assert holds(text, any_of=["never", *words])


@pytest.mark.parametrize(
    ("text", "word"), [("refunds", "refund"), ("refund_id", "refund"), ("moneyback", "money back")]
)
def test_a_part_of_a_word_does_not_count(text: str, word: str) -> None:
    assert not holds(text, any_of=[word])


@given(st.text(), st.text(min_size=1), st.text())
@example("", "\u0130", "")
def test_a_phrase_is_in_every_text_in_which_it_stands_between_spaces(before: str, phrase: str, after: str) -> None:
    try:
        phrases = Phrases([phrase])
    except ValueError:
        return
    assert phrases.first_in(folded(f"{before} {phrase} {after}")) == phrase


@pytest.mark.parametrize("expression", [r"(a)\1", "(?=a)b", "(?<!a)b", "[", r"\w{2000}"])
def test_a_regular_expression_that_may_take_long_is_refused(expression: str) -> None:
    with pytest.raises(InputError, match=r"rule 'rule 1': matches: .* in linear time"):
        book(answering(matches=expression))


def test_a_regular_expression_is_searched_in_any_text() -> None:
    assert holds("Order #12345 is LATE", matches=r"(?i)#\d{5}\b.*\blate$")
    assert not holds("a" * 1_000_000 + "\ud800", matches="^(a+)+$")


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("where is my order", True),
        ("Hello! I bought shoes last week. Where's my order? Thanks.", True),
        ("WHERE ARE MY ORDERS", True),
        ("where is my dog", False),
        ("I want to order a pizza", False),
        ("", False),
    ],
)
def test_a_text_is_like_an_example_with_whose_words_it_has_enough_in_common(text: str, like: bool) -> None:
    assert holds(text, like=["Where is my order?", "Track my package", "Has my parcel shipped yet?"]) is like


@pytest.mark.parametrize(
    ("value", "yes", "no"),
    [
        ({"equals": "DE"}, ["DE"], ["de", None, ["DE"]]),
        ({"equals": 1}, [1, 1.0], [True, "1"]),
        ({"equals": True}, [True], [1, "true"]),
        ({"in": ["a", 2]}, ["a", 2], ["b", 3]),
        ({"greater": 10}, [10.5, 11], [10, "11", True, None]),
        ({"present": True}, [None, 0, ""], []),
    ],
)
def test_a_field_is_as_the_rule_says(value: dict[str, Any], yes: list[Any], no: list[Any]) -> None:
    condition = Value.model_validate(value)
    assert [one for one in yes if not is_so(condition, {"field": one}, "field")] == []
    assert [one for one in [*no] if is_so(condition, {"field": one}, "field")] == []
    assert not is_so(condition, {}, "field")
    assert is_so(Value(present=False), {}, "field")


@given(st.integers(0, 14 * 24 * 60), st.sampled_from(["22:00-06:00", "09:00-17:00", "00:00-00:01"]), st.booleans())
def test_hours_are_those_of_the_day_on_which_they_begin(minutes: int, between: str, weekend: bool) -> None:
    """Beside each minute of the window, counted from where it begins."""
    zone = ZoneInfo("Asia/Kolkata")
    now = datetime(2026, 11, 20, tzinfo=zone) + timedelta(minutes=minutes)
    hours = Hours.model_validate({"between": between, "zone": zone.key, "days": ["sat", "sun"] if weekend else []})
    begins, ends = (timedelta(hours=int(clock[:2]), minutes=int(clock[3:])) for clock in between.split("-"))
    lasts = (ends - begins) % timedelta(days=1)
    midnights = [datetime(2026, 11, 18, tzinfo=zone) + timedelta(days=number) for number in range(20)]
    days = [day for day in midnights if not weekend or day.weekday() >= 5]
    assert hours.include(now.astimezone(UTC)) is any(day + begins <= now < day + begins + lasts for day in days)


def test_every_condition_must_hold_and_the_first_rule_decides() -> None:
    rules = book(
        {"when": {"any_of": ["refund"], "tenants": ["globex"]}, "answer": "1"},
        {"when": {"any_of": ["refund"], "data": {"amount": {"greater": 10}}}, "pattern": "support"},
        {"when": {"any_of": ["refund"], "patterns": ["support"]}, "refuse": "3"},
        {"when": {}, "priority": "batch"},
    )
    decided = [
        rules.decided(asked("A refund", tenant="globex")),
        rules.decided(asked("A refund", {"amount": 11})),
        rules.decided(asked("A refund", {"amount": 10})),
        rules.decided(asked("A refund", pattern="other")),
    ]
    assert [rule and rule.name for rule in decided] == [f"rule {number}" for number in (1, 2, 3, 4)]
    assert book(answering(any_of=["refund"])).decided(asked("A gift")) is None


def test_an_answer_is_made_with_the_data_and_does_without_what_lacks_it() -> None:
    rules = book({"when": {}, "answer": "{name}: {items}, on {input}"}, {"when": {}, "answer": "Hello."})
    full = asked("today {name}", {"name": "Ada", "items": [1, "{input}"]})
    rule = rules.decided(full)
    assert rule is not None
    assert answer(rule, full) == 'Ada: [1, "{input}"], on today {name}'
    other = rules.decided(asked("today", {"name": "Ada"}))
    assert other is not None
    assert other.name == "rule 2"


phrases = st.lists(st.sampled_from(["a", "b", "a b", "b c", "c"]), min_size=1, max_size=3, unique=True)
values = st.sampled_from(
    [
        {"equals": 1},
        {"equals": True},
        {"present": False},
        {"in": [1, 2]},
        {"greater": 0},
        {"greater": 1},
        {"present": True},
    ]
)
whens = st.fixed_dictionaries(
    {},
    optional={
        "any_of": phrases,
        "data": st.dictionaries(st.sampled_from("xy"), values, min_size=1),
        "tenants": st.sampled_from([["acme"], ["acme", "globex"]]),
        "like": phrases,
        "matches": st.sampled_from(["a", "b"]),
    },
)
asks = st.builds(
    asked,
    st.lists(st.sampled_from("abcd")).map(" ".join),
    st.dictionaries(st.sampled_from("xy"), st.sampled_from([0, 1, True, 2, "t"])),
    tenant=st.sampled_from(["acme", "globex"]),
)


@settings(max_examples=50)
@given(whens, whens, st.lists(asks, min_size=10))
def test_what_is_said_never_to_decide_never_does(
    first: dict[str, Any], then: dict[str, Any], asks: list[Question]
) -> None:
    rules = book({"when": first, "answer": "1"}, {"when": then, "answer": "2"})
    try:
        check_reachable(rules)
    except InputError:
        assert [one for one in asks if (rule := rules.decided(one)) is not None and rule.answer == "2"] == []


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {"any_of": ["a"]}),
        ({"any_of": ["refund"]}, {"any_of": ["a refund", "refund please"], "tenants": ["acme"]}),
        ({"data": {"n": {"greater": 1}}}, {"data": {"n": {"greater": 2}}}),
        ({"data": {"n": {"present": True}}}, {"data": {"n": {"in": [1, 2]}}}),
        ({"matches": "a+"}, {"matches": "a+", "any_of": ["b"]}),
        ({"like": ["one", "two"], "threshold": 0.5}, {"like": ["two"]}),
        ({"time": {"days": ["mon"]}}, {"time": {"days": ["mon"]}, "any_of": ["a"]}),
    ],
)
def test_a_rule_that_never_decides_is_an_error(first: dict[str, Any], then: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="rule 'rule 2' never decides: 'rule 1'"):
        check_reachable(book({"when": first, "answer": "1"}, {"when": then, "refuse": "2"}))
    check_reachable(book({"when": then, "answer": "1"}, {"when": {**first, "patterns": ["p"]}, "refuse": "2"}))


def test_rules_that_take_a_text_from_later_ones_are_told() -> None:
    rules = book(
        {"when": {"any_of": ["refund", "money"]}, "answer": "1"},
        {"when": {"any_of": ["gift", "refund policy"]}, "answer": "2"},
        {"when": {"any_of": ["refund"], "tenants": ["acme"], "matches": "refund"}, "answer": "1"},
    )
    [line] = overlaps(rules)
    assert line == "'rule 2' does not decide on 'refund policy' where 'rule 1' holds too, which stands before it"
    apart = [{"data": {"n": {"equals": n}}, "any_of": ["a"]} for n in (1, 2)]
    assert overlaps(book(*({"when": when, "answer": str(n)} for n, when in enumerate(apart)))) == []


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ('name = "a"\nanswer = "x"', r"rules\.0\.when: Field required"),
        ('name = "a"\nwhen = {}', r"rules\.0: it does nothing; write `answer`"),
        ('name = "a"\nwhen = {}\nanswer = "x"\nrefuse = "y"', r"answer and refuse: a rule does one of these"),
        (
            'name = "a"\nwhen = {}\nanswer = "x"\npriority = "batch"',
            r"priority: what is decided by 'answer' has no run",
        ),
        ('name = "a"\nwhen = { any_off = ["x"] }\nanswer = "x"', r"rules\.0\.when\.any_off: Extra inputs"),
        ('name = "a"\nwhen = { threshold = 0.5 }\nanswer = "x"', r"threshold: it is that of `like`"),
        ('name = "a"\nwhen = { data = { n = { equals = 1, greater = 0 } } }\nanswer = "x"', r"write one of `equals`"),
        ('name = "a"\nwhen = { time = { between = "9-17" } }\nanswer = "x"', r"'9-17' are no hours"),
        ('name = "a"\nwhen = { time = { zone = "UTC" } }\nanswer = "x"', r"it says nothing; write `between`"),
        (
            'name = "a"\nwhen = {}\nanswer = "x"\n[[rules]]\nname = "a"\nwhen = {}\nanswer = "y"',
            r"two rules are called",
        ),
    ],
)
def test_a_mistake_names_its_field(rule: str, mistake: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f"[[rules]]\n{rule}\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"rules.toml: .*{mistake}"):
        load_rules(path)


def test_the_page_shows_rules_that_are_right(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    library = Library(Settings(rules=path))
    assert library.rules is not None
    assert (len(library.rules.rules), overlaps(library.rules)) == (5, [])
    assert {name for name in When.model_fields if f"`{name}`" not in page} == {"data"}


def test_a_word_without_a_letter_is_refused() -> None:
    with pytest.raises(InputError, match=r"rule 'rule 1': any_of: '\?!' has neither a letter nor a digit"):
        book(answering(any_of=["?!"]))


def test_what_a_rule_does_is_said_in_a_line() -> None:
    when: dict[str, Any] = {"name": "a", "when": {}}
    lines = [
        Rule(**when, answer="One\ntwo " + "x" * 99).action,
        Rule(**when, pattern="support", priority="critical").action,
        Rule(**when, refuse="No.").action,
    ]
    assert lines == ["answer: One two " + "x" * 52 + "…", "pattern support, priority critical", "refuse: No."]
