"""Tables of what models answered, as people write them."""

import gzip
from pathlib import Path

import pytest

from continuo.errors import InputError
from continuo.evaluation.table import Answer, read_table

QUESTION = (
    '{"id": "1", "prompt": "One?", "set": "trivia",'
    ' "models": {"a": {"correct": true, "confidence": 0.12345678, "cost_usd": 0.5}}}'
)
ANSWERS = (
    '{"prompt": "Two?", "model": "a", "answer": "2", "correct": false, "cost_usd": 0.25, "latency_ms": 12}\n'
    '{"prompt": "Two?", "model": "b", "correct": 0.5, "cost_usd": 1, "rating_usd": 0.25}\n'
    '{"prompt": "Two?", "model": "a", "answer": "two", "correct": true, "cost_usd": 0.25}\n'
)


@pytest.mark.parametrize("name", ["table.jsonl", "table.jsonl.gz"])
def test_a_line_is_a_question_with_its_models_or_one_answer_of_a_log(tmp_path: Path, name: str) -> None:
    path, text = tmp_path / name, f"{QUESTION}\n\n{ANSWERS}{QUESTION}\n".encode()
    path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    first, second, again = read_table(path)
    assert first == again
    assert (first.prompt, first.models["a"]) == ("One?", Answer(correct=1, confidence=0.123457, cost_usd=0.5))
    assert second.prompt == "Two?"
    assert {name: one.correct for name, one in second.models.items()} == {"a": 1.0, "b": 0.5}
    assert [second.models["b"].cost(rated=rated) for rated in (True, False)] == [1.0, 0.75]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", ": no questions; write a JSON object a line, see docs/evidence.md"),
        (b'{"prompt": "One?"', ":1: Expecting ',' delimiter"),
        (b'\n{"prompt": "One?"}', ':2: neither a question with "models" nor an answer with its "model"'),
        (b'{"model": "a", "correct": true, "cost_usd": 1}', ":1: prompt: Field required"),
        (b'{"prompt": "One?", "models": {}}', ":1: models: "),
        (b'{"prompt": "One?", "models": {"a": {"correct": 2, "cost_usd": 1}}}', ":1: models.a.correct: "),
        (b'{"prompt": "One?", "model": "a", "correct": true, "cost_usd": -1}', ":1: cost_usd: "),
        (b'{"prompt": "One?", "model": "a", "correct": true, "cost_usd": NaN}', ":1: cost_usd: "),
        (b'"\xff"', ": not UTF-8 text; save it as UTF-8"),
        (b"[" * 100_000, ":1: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_field(tmp_path: Path, text: bytes, says: str) -> None:
    path = tmp_path / "table.jsonl"
    path.write_bytes(text)
    with pytest.raises(InputError) as raised:
        read_table(path)
    assert str(raised.value).startswith(f"{path}{says}")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("none.jsonl", None, "cannot read"), ("cut.jsonl.gz", b"\x1f\x8b", "not a whole gzip"), ("t.gz", b"{}", "gzip")],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_table(tmp_path / name)
