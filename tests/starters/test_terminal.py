"""What a model writes is shown on a terminal, and not obeyed."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from continuo.config.catalog import load_catalog
from continuo.errors import InputError
from continuo.starters.app import checked
from continuo.starters.console.terminal import SafeConsole, shown

HOSTILE = "a\x1b]0;title\x07b\x9b31mc\u202ed\x7f\x1b[2J"


def printed(*things: object) -> str:
    file = io.StringIO()
    SafeConsole(file=file, force_terminal=True, color_system=None).print(*things)
    return file.getvalue()


def test_escape_sequences_are_shown_and_not_obeyed() -> None:
    table = Table("answer")
    table.add_row(HOSTILE)
    for found in (printed(HOSTILE), printed(table)):
        assert not set(found) & set("\x1b\x9b\u202e\x7f\x07")
        assert "\\u001b]0;title" in found


def test_what_looks_like_markup_or_an_emoji_is_printed_as_it_is() -> None:
    table = Table("answer")
    table.add_row(":smile: [red]a[/red]")
    assert all(":smile: [red]a[/red]" in printed(one) for one in (":smile: [red]a[/red]", table))


@given(st.text())
def test_json_that_is_shown_is_the_same_json(text: str) -> None:
    written = shown(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in written)


def test_an_argument_that_is_no_text_is_named() -> None:
    with pytest.raises(InputError, match="argument 2 is not UTF-8"):
        checked(["run", "\udcff"])


@pytest.mark.parametrize("what", ["folder", "bytes"])
def test_a_catalog_that_cannot_be_read_is_one_line(tmp_path: Path, what: str) -> None:
    path = tmp_path / "catalog.toml"
    if what == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"catalog\.toml"):
        load_catalog(path)
