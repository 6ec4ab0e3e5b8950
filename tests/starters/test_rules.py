"""`continuo rules`: rules are listed, checked and tried; nothing runs."""

import json
from pathlib import Path

import pytest

from continuo.errors import InputError
from continuo.starters.commands.rules import check_rules, list_rules, try_rules

FILE = """
[[rules]]
name = "hours"
when = { any_of = ["opening hours"], time = { between = "18:00-08:00", zone = "Europe/Berlin" } }
answer = "We open at 8, {name}."

[[rules]]
name = "large"
when = { data = { amount = { greater = 100 } }, patterns = ["support"] }
pattern = "moderation"

[[rules]]
name = "any"
when = { any_of = ["hours"] }
refuse = "Not now."
"""


@pytest.fixture
def file(environ: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(FILE, encoding="utf-8")
    monkeypatch.setenv("CONTINUO_RULES", str(path))
    return path


@pytest.mark.usefixtures("file")
def test_they_are_listed_in_their_order_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert list_rules() == 0
    table = capsys.readouterr().out
    assert table.index("hours") < table.index("pattern moderation") < table.index("refuse: Not now.")
    assert list_rules(json=True) == 0
    rules = json.loads(capsys.readouterr().out)
    assert [rule["name"] for rule in rules] == ["hours", "large", "any"]
    assert rules[1]["when"]["data"] == {"amount": {"greater": 100.0}}


def test_they_are_checked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_rules() == 0
    assert capsys.readouterr().out == "3 rules are right, with 0 warnings\n"
    file.write_text(FILE.replace('"hours"] }\nrefuse', '"opening hours"] }\nrefuse'), encoding="utf-8")
    assert check_rules() == 0
    assert "'any' does not decide on 'opening hours' where 'hours' holds too" in capsys.readouterr().err.replace(
        "\n", " "
    )
    file.write_text(FILE.replace("moderation", "moderatoin"), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"rules\.toml: rule 'large': unknown pattern 'moderatoin'; did you mean 'moderation'\?"
    ):
        check_rules()


@pytest.mark.usefixtures("file")
def test_one_tells_which_rule_decides_and_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    data.write_text('{"name": "ada@example.com", "amount": 200}', encoding="utf-8")
    assert try_rules("Opening hours?", data=str(data), at="2026-11-27T21:00") == 0
    printed = capsys.readouterr()
    assert printed.out == "hours: answer: We open at 8, {name}.\nWe open at 8, ada@example.com.\n"
    assert [word in printed.err for word in ("decides", "yes, too late", "not patterns:")] == [True] * 3
    assert try_rules("Opening hours?", at="2026-11-27T12:00+01:00", json=True) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["rule"], result["text"]) == ("any", "Not now.")
    assert result["rules"][0]["conditions"][0] == {
        "field": "time",
        "holds": False,
        "seen": "2026-11-27 12:00 UTC+01:00",
    }
    assert try_rules("Hello", data=str(data), pattern="support") == 0
    assert capsys.readouterr().out == "large: pattern moderation\n"
    assert try_rules("Hello") == 0
    assert capsys.readouterr().out == "no rule decides: it is run as it is asked\n"


def test_what_is_wrong_is_told_in_a_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="--at noon: no time; write one such as"):
        try_rules("Hello", at="noon")
    with pytest.raises(InputError, match="tenant: 'a/b' is no tenant's name"):
        try_rules("Hello", tenant="a/b")
    monkeypatch.delenv("CONTINUO_RULES")
    with pytest.raises(InputError, match="there are no rules; set CONTINUO_RULES"):
        list_rules()
