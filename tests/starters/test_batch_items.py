"""The items of a batch as a person writes them."""

from pathlib import Path

import pytest

from continuo.errors import InputError
from continuo.starters.batch_items import digest, read_items


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_line_of_jsonl_is_a_text_or_an_object(tmp_path: Path) -> None:
    text = '\ufeff"One?"\n\n{"prompt": "Two?", "id": "b", "system": "Shout."}\r\n{"data": {"order_id": 7}}\n'
    lines = list(read_items(written(tmp_path, "items.jsonl", text), "support", "Whisper."))
    assert [line for line, _ in lines] == [1, 3, 4]
    one, two, three = (request for _, request in lines)
    assert (one.prompt, one.id, one.system) == ("One?", None, "Whisper.")
    assert (two.prompt, two.id, two.system) == ("Two?", "b", "Shout.")
    assert three.data == {"order_id": 7}


def test_the_columns_of_a_csv_are_data_unless_they_are_prompt_system_or_id(tmp_path: Path) -> None:
    text = 'id,prompt,city\n1,"Where,\nplease?",Berlin\n,When?,\n'
    lines = list(read_items(written(tmp_path, "items.csv", text), "support", None))
    assert [line for line, _ in lines] == [3, 4]
    first, second = (request for _, request in lines)
    assert (first.id, first.prompt, first.data) == ("1", "Where,\nplease?", {"city": "Berlin"})
    assert (second.id, second.prompt, second.data) == (None, "When?", {"city": ""})


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("i.jsonl", '"a"\n{"prompt": "b"\n', "i.jsonl:2: not JSON: Expecting"),
        ("i.jsonl", '"a"\n7\n', 'i.jsonl:2: an item is a text or an object; write "…"'),
        ("i.jsonl", '{"promt": "b"}', "i.jsonl:1: 'promt' is no field of an item, which are prompt,"),
        ("i.jsonl", '{"id": "b"}', "i.jsonl:1: Request: give a prompt, messages or data"),
        ("i.jsonl", '{"prompt": "b", "parameters": {"temperature": 9}}', "i.jsonl:1: parameters.temperature: "),
        ("i.jsonl", '{"data": {"a": NaN}}', "i.jsonl:1: not JSON: NaN is no number of JSON"),
        ("i.jsonl", '{"data": {"a": ' + "9" * 5000 + "}}", "i.jsonl:1: Exceeds the limit"),
        ("i.jsonl", "[" * 100_000, "i.jsonl:1: nested too deep; flatten it"),
        ("i.jsonl", b'"a"\n"\xff"\n', "not UTF-8 text, here or soon after; save the file as UTF-8"),
        ("i.jsonl", '"' + "x" * 4_000_000, "i.jsonl:1: the line has more than 4,000,000 characters; shorten it"),
        ("i.csv", "a,b\n1,2\n1\n", "i.csv:3: the row has not 2 values, as the header; mend it"),
        ("i.csv", "a,a\n1,2\n", "i.csv:1: a column has no name or that of another; name each differently"),
        ("i.csv", 'a,b\n1,"2\n', "i.csv:2: not CSV: unexpected end of data"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, name: str, text: str | bytes, says: str) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(InputError) as raised:
        list(read_items(path, "support", None))
    assert says in str(raised.value)
    assert str(raised.value).startswith(str(path))


@pytest.mark.parametrize(
    ("name", "says"),
    [("i.parquet", "Parquet is not read; write it as JSONL or CSV"), ("i.txt", "neither JSONL nor CSV"),
     ("i.jsonl", "cannot read")],
)  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        digest(tmp_path / name)
