"""BLEU and chrF, by sacrebleu itself."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from continuo.errors import InputError
from continuo.evaluation.scores.base import NoScore
from continuo.evaluation.scores.bleu import Bleu
from continuo.evaluation.scores.chrf import Chrf
from continuo.evaluation.scores.corpus import corpus
from tests.evaluation.scoring import scored, value

WORDS = st.sampled_from(["the", "a", "cat", "sat,", "on", "mat.", "It's", "3.5", "東京"])
SENTENCES = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
BITES = [
    ("The dog bit the man.", ["The dog bit the man.", "The dog had bit the man."]),
    ("It wasn't surprising.", ["It was not unexpected.", "No one was surprised."]),
    ("The man had just bitten him.", ["The man bit him first.", "The man had bitten the dog."]),
]


@settings(max_examples=20)
@given(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=3))
def test_the_values_of_an_answer_are_those_of_sacrebleu(text: str, right: list[str]) -> None:
    if text not in right:
        bleu, chrf = (metric.sentence_score(text, right).score for metric in (BLEU(effective_order=True), CHRF()))
        assert (100 * value("bleu", text, *right), 100 * value("chrf", text, *right)) == pytest.approx((bleu, chrf))


def test_the_published_examples_of_a_whole_set() -> None:
    """Of sacrebleu's README, and of the card of the metric at Hugging Face."""
    assert round(100 * corpus(Bleu(), BITES).value, 2) == 48.53
    assert round(100 * corpus(Chrf(), BITES).value, 2) == 59.73
    kenobi = ("hello there general kenobi", ["hello there general kenobi", "hello there !"])
    ankh = ("on our way to ankh morpork", ["goodbye ankh morpork", "ankh morpork"])
    assert 100 * corpus(Bleu(), [kenobi, ankh]).value == pytest.approx(39.76353643835252)


@settings(max_examples=20)
@given(st.lists(st.tuples(SENTENCES, st.lists(SENTENCES, min_size=2, max_size=2)), min_size=1, max_size=5))
def test_the_values_of_a_whole_set_are_those_of_sacrebleu(pairs: list[tuple[str, list[str]]]) -> None:
    answers, references = (
        [text for text, _ in pairs],
        [list(stream) for stream in zip(*(r for _, r in pairs), strict=True)],
    )
    for ours, theirs in ((Bleu(), BLEU()), (Chrf(), CHRF())):
        expected = theirs.corpus_score(answers, references).score
        assert 100 * corpus(ours, pairs).value == pytest.approx(expected)


def test_the_signature_says_how_it_was_computed() -> None:
    bleu = corpus(Bleu(tokenize="zh"), BITES).signature
    assert bleu.startswith("nrefs:2|case:mixed|eff:no|tok:zh|smooth:exp|version:")
    assert corpus(Chrf(), [("a", ["a"]), ("b", ["b", "c"])]).signature.startswith("nrefs:var|case:mixed|")


def test_chinese_has_words_where_it_is_said_to() -> None:
    pair = ("我喜欢东京的春天", "我喜欢东京的秋天")
    assert value("bleu", *pair, tokenize="zh") > 0.4 > value("bleu", *pair)


def test_no_answers_have_no_score() -> None:
    with pytest.raises(NoScore, match="there is no answer that has a bleu"):
        corpus(Bleu(), [])


@pytest.mark.parametrize("kind", ["bleu", "chrf"])
def test_without_the_extra_it_is_told_before_anything_runs(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"sacrebleu.metrics.{kind}", None)
    with pytest.raises(InputError, match=rf"{kind} needs an extra; pip install 'continuo-patterns\[eval\]'"):
        scored(kind, "a", "b")
