import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.classify import classify, complexity, is_technical, label_in, normalised
from continuo.jobs import Prefer
from continuo.patterns.choices import Complexity, Keywords, Length, Preference

LABELS = ("order", "order status", "refund")
names = st.from_regex(r"[a-z0-9]{1,8}( [a-z0-9]{1,8})?", fullmatch=True)


@pytest.mark.parametrize(
    ("prompt", "score"),
    [
        ("", 0),
        ("?", 0),
        ("Good morning.", 0),
        ("Is it open?", 0),
        ("Is it open? ", 0),
        ("Is it open? Thanks", 0.2),
        ("x " * 50, 0),
        ("x " * 51, 0.3),
        ("x\n" * 51, 0.3),
        ("EXPLAIN it", 0.3),
        ("Compare, explain and analyze it: why and how", 0.3),
        ("Show the anyhow, the whys and the explained", 0),
        ("Write SQL", 0.2),
        ("Write SQL? Now", 0.4),
        ("Explain SQL", 0.5),
        ("Is it SQL? Explain", 0.7),
        ("Explain this. " + "x " * 49, 0.6),
        ("Is it SQL? Explain. " + "x " * 50, 1),
    ],
)
def test_a_score_is_the_sum_of_its_signs(prompt: str, score: float) -> None:
    assert complexity(prompt, 50) == score


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("Good morning.", "low"),
        ("Write SQL", "low"),
        ("Explain it", "medium"),
        ("Explain SQL", "medium"),
        ("Explain it. " + "x " * 49, "high"),
    ],
)
def test_a_score_at_its_lower_bound_has_the_label(prompt: str, label: str) -> None:
    assert classify(Complexity(), prompt, None) == label


@pytest.mark.parametrize(
    ("words", "medium", "high", "label"),
    [(1, 0.3, 0.6, "high"), (2, 0.3, 0.6, "medium"), (2, 0.31, 0.6, "low"), (2, 0.1, 0.3, "high")],
)
def test_the_bounds_can_be_set(words: int, medium: float, high: float, label: str) -> None:
    assert classify(Complexity(words=words, medium=medium, high=high), "Explain it", None) == label


@given(st.text(), st.integers(0, 60))
def test_a_score_is_within_0_and_1_and_never_falls_when_more_is_asked(prompt: str, words: int) -> None:
    score = complexity(prompt, words)
    assert 0 <= score <= complexity(f"{prompt}\nExplain? Why? Write it in Python.", words) <= 1


@pytest.mark.parametrize(
    "prompt",
    [
        "The code does not work",
        "a technical question",
        "Is C++ faster than C#?",
        "a regular\nexpression",
        "```\nx\n```",
        "What is `len` for?",
        "def total(items):",
        "function total(items) {",
        "It says items.append() fails",
        "while (true) {\n  x\n}",
        "  return x(1);",
        "if a == b",
        "<b>bold</b>",
        "#include <stdio.h>",
        "SELECT name\nFROM customers",
        "DELETE FROM customers",
    ],
)
def test_code_and_the_words_of_those_who_write_it_are_technical(prompt: str) -> None:
    assert is_technical(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "My discount code does not work",
        "Which post codes do you deliver to?",
        "Is there a dress code?",
        "Please SELECT a gift from the list",
        "select a gift from the list; then pay",
        "It`s late, and that`s bad",
        "The function of the class was to rust",
        "Dear team,\n\nwe need apples; and pears (two);\nthanks",
        "Title\n=====\nText",
        "It costs $5 -> too much",
        "{name}, hello",
        "My codec is broken",
    ],
)
def test_everyday_prompts_are_not_technical(prompt: str) -> None:
    assert not is_technical(prompt)


@pytest.mark.parametrize("piece", ["SELECT ", "{ ", " ", "`", "def ", "\n", "</", "confidence:"])
def test_no_prompt_takes_long(piece: str) -> None:
    """The run's own time-out would show it."""
    assert 0 <= complexity(piece * 100_000, 50) <= 1


@pytest.mark.parametrize(
    ("length", "label"),
    [(0, "local"), (99, "local"), (100, "mini"), (499, "mini"), (500, "premium"), (5000, "premium")],
)
def test_a_length_at_its_bound_has_the_next_label(length: int, label: str) -> None:
    assert classify(Length(), "x" * length, None) == label


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("I want my MONEY\nback!", "refund"),
        ("money, back", None),
        ("A refund: where is my order", "refund"),
        ("orders", None),
        ("the order's state", "order"),
        ("GROẞE Straße", "street"),
        ("cafe\u0301", "place"),
        ("cafe", None),
        ("", None),
    ],
)
def test_the_first_label_with_a_word_in_the_prompt_is_found(prompt: str, label: str | None) -> None:
    by = Keywords(
        labels={
            "empty": ("", " "),
            "refund": ("refund", "money back"),
            "order": ("order", "refund"),
            "street": ("STRASSE",),
            "place": ("café",),
        }
    )
    assert classify(by, prompt, None) == label


@given(names, st.text(" .,!?\n", max_size=3), st.text(" .,!?\n", max_size=3))
def test_a_keyword_is_found_in_any_case_and_between_any_marks(word: str, before: str, after: str) -> None:
    by = Keywords(labels={"found": (word,)})
    assert classify(by, f"{before}{word.upper()}{after}", None) == "found"
    assert classify(by, f"x{word}x", None) is None


@pytest.mark.parametrize(("prefer", "label"), [("speed", "speed"), ("quality", "quality"), (None, "cost")])
def test_a_preference_is_the_context_s_own_or_the_default(prefer: Prefer | None, label: str) -> None:
    assert classify(Preference(), "", prefer) == label


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("refund", "refund"),
        (" Refund.\n", "refund"),
        ("**REFUND**", "refund"),
        ('"order  status"', "order status"),
        ("_refund_", "refund"),
        ("The label is: refund", "refund"),
        ("It is about the order status.", "order status"),
        ("Refund! It is a refund.", "refund"),
        ("refund or order", None),
        ("refunds", None),
        ("I cannot say", None),
        ("...", None),
        ("", None),
    ],
)
def test_a_label_is_read_from_what_a_model_says(answer: str, label: str | None) -> None:
    assert label_in(answer, LABELS) == label


def test_among_no_labels_none_is_named() -> None:
    assert label_in("refund", ()) is None
    assert label_in("-", ("-", " ")) is None


@given(st.lists(names, min_size=1, unique_by=normalised), st.data())
def test_a_label_alone_is_always_recognised(labels: list[str], data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(labels))
    assert label_in(f"`{label.upper()}`.", labels) == label


@given(st.text(), st.lists(st.text(max_size=5)))
def test_what_is_named_is_one_of_the_labels(answer: str, labels: list[str]) -> None:
    assert label_in(answer, labels) in (*labels, None)
