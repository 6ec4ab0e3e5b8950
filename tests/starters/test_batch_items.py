"""The items of a batch as a person writes them."""

import sys
from datetime import datetime
from pathlib import Path

import pyarrow.parquet
import pytest

from continuo.errors import InputError
from continuo.starters.batch_items import check_format, digest, read_items


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_line_of_jsonl_is_a_text_or_an_object(tmp_path: Path) -> None:
    text = '\ufeff"One?"\n\n{"prompt": "Two?", "id": "b", "system": "Shout."}\r\n{"data": {"order_id": 7}}\n'
    lines = list(read_items(written(tmp_path, "items.jsonl", text), "support", "Whisper."))
    assert [line.number for line in lines] == [1, 3, 4]
    one, two, three = (line.request for line in lines)
    assert (one.prompt, one.id, one.system) == ("One?", None, "Whisper.")
    assert (two.prompt, two.id, two.system) == ("Two?", "b", "Shout.")
    assert three.data == {"order_id": 7}


def test_the_columns_of_a_csv_are_data_unless_they_are_prompt_system_or_id(tmp_path: Path) -> None:
    text = 'id,prompt,city\n1,"Where,\nplease?",Berlin\n,When?,\n'
    lines = list(read_items(written(tmp_path, "items.csv", text), "support", None))
    assert [line.number for line in lines] == [3, 4]
    first, second = (line.request for line in lines)
    assert (first.id, first.prompt, first.data) == ("1", "Where,\nplease?", {"city": "Berlin"})
    assert (second.id, second.prompt, second.data) == (None, "When?", {"city": ""})


def test_rows_of_parquet_are_as_those_of_a_csv_with_the_types_that_they_have(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    rows = [
        {"id": 1, "prompt": "Where?", "city": "Berlin", "since": datetime(2026, 1, 2), "tags": ["a"], "at": {"x": 1.5}},
        {"id": None, "prompt": "When?", "city": None, "since": None, "tags": None, "at": None},
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    first, second = (line.request for line in read_items(path, "support", "Whisper."))
    assert (first.id, first.prompt, first.system) == ("1", "Where?", "Whisper.")
    assert first.data == {"city": "Berlin", "since": "2026-01-02T00:00:00", "tags": ["a"], "at": {"x": 1.5}}
    assert (second.id, second.prompt) == (None, "When?")
    assert second.data == dict.fromkeys(("city", "since", "tags", "at"))


@pytest.mark.parametrize(
    ("value", "says"),
    [(b"\xff", ":1: column 'what': \"b'\\\\xff'\" is no value of JSON"), (float("nan"), ":1: column 'what': 'nan'")],
    ids=["bytes", "not a number"],
)
def test_a_value_that_json_cannot_have_is_told_with_its_row_and_column(
    tmp_path: Path, value: object, says: str
) -> None:
    path = tmp_path / "items.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"prompt": "a", "what": value}]), path)
    with pytest.raises(InputError, match="column") as raised:
        list(read_items(path, "support", None))
    assert says in str(raised.value)


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not Parquet: Parquet magic bytes not found"):
        list(read_items(written(tmp_path, "items.parquet", "no Parquet at all"), "support", None))


def test_parquet_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'continuo-patterns\[parquet\]', or use JSONL or CSV"):
        check_format(tmp_path / "items.parquet")


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
    [("i.txt", "neither JSONL, CSV nor Parquet"), ("i.jsonl", "cannot read"), ("i.parquet", "cannot read")],
)
def test_other_files_are_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        digest(tmp_path / name)
