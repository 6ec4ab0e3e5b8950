import pytest
from temporalio.exceptions import ApplicationError

from continuo.bounded import KEPT
from continuo.jobs import Failure
from continuo.temporal.failures import MAX_MESSAGE, MAX_TEXT, failed, failure_of, sized


def test_a_failure_of_very_many_causes_stays_short_enough_for_a_history() -> None:
    causes = tuple(f"b{number}: {'x' * 100}" for number in range(10_000))
    error = failed(Failure(type="FanOutFailed", message="; ".join(causes), causes=causes))
    found = failure_of(ApplicationError(error.message, *(one.model_dump() for one in error.details)))
    assert error.message == found.message
    assert len(error.message) == MAX_MESSAGE
    assert found.causes == causes[:KEPT]
    assert found.omitted == {"causes": 10_000 - KEPT}


def test_a_text_may_have_so_many_bytes_and_no_more() -> None:
    text = "é" * (MAX_TEXT // 2)
    assert sized(text, "it") == text
    with pytest.raises(ApplicationError, match=r"the prompt has 16,777,217 bytes, more than 16,777,216; ask for"):
        sized(f"{text}x", "the prompt")
