"""Answers from a folder of Markdown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.defaults import DEFAULTS
from continuo.errors import InputError
from continuo.messages import Message, ModelRequest
from continuo.providers.knowledge import NOTHING_FOUND, Knowledge

SHIPPED = Knowledge(DEFAULTS / "knowledge")
words = st.text(st.characters(categories=["Ll", "Lu", "Nd", "Zs", "Po"]), max_size=80)


def ask(knowledge: Knowledge, question: str) -> tuple[str, float]:
    answer = knowledge.answer(ModelRequest(messages=(Message(role="user", content=question),)))
    assert answer.confidence is not None
    return answer.message.text, answer.confidence


def test_the_section_that_fits_is_given_with_its_file() -> None:
    text, confidence = ask(SHIPPED, "How do I return an item and get a refund?")
    assert "Source: returns.md" in text
    assert confidence > 0.5


def test_a_question_about_something_else_finds_nothing() -> None:
    assert ask(SHIPPED, "zyx wvut qponm") == (NOTHING_FOUND, 0.0)


@given(words)
def test_a_confidence_is_between_0_and_1(question: str) -> None:
    assert 0 <= ask(SHIPPED, question)[1] <= 1


@given(words)
def test_an_unknown_word_never_raises_the_confidence(question: str) -> None:
    assert ask(SHIPPED, f"{question} qzxwvk")[1] <= ask(SHIPPED, question)[1]


def test_a_changed_folder_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Lamps\n\nLamps are bright things.\n", encoding="utf-8")
    knowledge = Knowledge(tmp_path)
    assert ask(knowledge, "clocks")[1] == 0
    (tmp_path / "b.md").write_text("# Clocks\n\nClocks tell the time.\n", encoding="utf-8")
    assert "Clocks tell the time." in ask(knowledge, "clocks")[0]


def test_a_folder_without_text_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CONTINUO_KNOWLEDGE"):
        ask(Knowledge(tmp_path / "gone"), "anything")


@pytest.mark.parametrize("content", [b"the of and\n", b"...\n", b"# The\n\nof\n"])
@pytest.mark.parametrize("question", ["", "the", "...", "a refund"])
def test_a_folder_without_a_telling_word_finds_nothing(tmp_path: Path, content: bytes, question: str) -> None:
    (tmp_path / "a.md").write_bytes(content)
    assert ask(Knowledge(tmp_path), question) == (NOTHING_FOUND, 0.0)


def test_a_file_that_is_not_utf_8_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes("# Café\n\nCafé au lait, every morning.\n".encode("latin-1"))
    assert ask(Knowledge(tmp_path), "morning")[1] == 1


@pytest.mark.parametrize("separator", ["\x0c", "\u2028", "\x85", "\r\n"])
def test_a_section_ends_where_the_next_heading_begins(tmp_path: Path, separator: str) -> None:
    text = f"# One\n\nalpha{separator}beta\n\n# Two\n\ndelta\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8", newline="")
    assert ask(Knowledge(tmp_path), "delta")[0] == "Two\n\ndelta\n\nSource: a.md"
