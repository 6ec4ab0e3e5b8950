"""What is wrong with a guard is told before anything is asked."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from continuo.authoring.files import load_pattern
from continuo.authoring.guards import check_guards, with_blocked_file
from continuo.config.guardrails import Policy
from continuo.errors import InputError
from continuo.patterns import Call, Checks, Guard, Template

HEAD = "description: d\npattern:\n  kind: guard\n  step: {kind: call, model: mini}\n"


@pytest.mark.parametrize(
    ("yaml", "mistake"),
    [
        ("", "pattern: checks are none; name at least one, or a moderator"),
        ("  checks: {schema: {}}", "pattern.checks.schema: no such field; did you mean 'json_schema'?"),
        ("  checks: {links: [http://a.test]}", "pattern.checks.links[0]: String should match pattern"),
        ("  checks: {personal: [email]}", "pattern.checks.personal[0]: String should match pattern"),
        ("  checks: {blocked: ['!']}", "pattern.checks.blocked[0]: String should match pattern"),
        ("  checks: {length: {min: 3, max: 2}}", "pattern.checks.length: min is above max, 2; lower it"),
        ("  checks: {secrets: true}\n  retries: 4", "pattern.retries: Input should be less than or equal to 3"),
        ("  checks: {secrets: true}\n  on_failure: otherwise", "pattern: on_failure 'otherwise' and the step"),
        ("  checks: {secrets: true}\n  otherwise: {kind: template, text: a}", "pattern: on_failure 'otherwise' and"),
        ("  checks: {matches: a}\n  on_failure: redact", "nothing of an answer can be blotted out to please 'matches'"),
        ("  moderator: {kind: template, text: a}\n  on_failure: redact", "blotted out to please 'moderator'"),
    ],
)
def test_a_mistake_in_a_file_is_one_line(tmp_path: Path, yaml: str, mistake: str) -> None:
    path = tmp_path / "guarded.yaml"
    path.write_text(HEAD + yaml, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_pattern(path)
    assert mistake in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("checks", "mistake"),
    [
        ({"json_schema": {"type": "nothing"}}, "json_schema is no JSON schema"),
        ({"matches": "("}, "no regular expression in linear time"),
        ({"matches": r"(?=a)"}, "no regular expression in linear time"),
        ({"language": ["english"[:3]]}, "unknown language 'eng'"),
        ({"personal": ["E_MAIL"]}, "unknown kind of personal data 'E_MAIL'; did you mean 'EMAIL'?"),
    ],
)
def test_what_cannot_be_checked_is_refused(checks: dict[str, Any], mistake: str) -> None:
    with pytest.raises(InputError, match=mistake.replace("(", r"\(")):
        check_guards(Guard(Call(model="mini"), checks=checks), Policy())


def test_own_kinds_of_data_can_be_named() -> None:
    check_guards(Guard(Call(model="m"), checks={"personal": ["EMPLOYEE"]}), Policy(own={"EMPLOYEE": r"E-\d{6}"}))


def test_blocked_words_come_from_a_file_too(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# rude\n darn \n\nvery bad\n", encoding="utf-8")
    checks = with_blocked_file(Checks(blocked=("heck",), blocked_file=str(words)))
    assert (checks.blocked, checks.blocked_file) == (("heck", "darn", "very bad"), None)
    words.write_text("fine\n!!\n", encoding="utf-8")
    with pytest.raises(InputError, match="a line that is no word"):
        with_blocked_file(Checks(blocked_file=str(words)))
    with pytest.raises(InputError, match="cannot read"):
        with_blocked_file(Checks(blocked_file=str(tmp_path / "none.txt")))


def test_an_answer_is_streamed_where_nothing_needs_all_of_it() -> None:
    step = Template(text="a")
    some = {"secrets": True, "personal": ["EMAIL"], "blocked": ["darn"], "links": []}
    assert list(Guard(step, checks=some, on_failure="redact").answering()) == ["step"]
    assert list(Guard(step, checks=some).answering()) == ["step"]
    for whole in ({"system_prompt": True}, {"matches": "a"}, {"language": ["en"]}, {"length": {"min": 1}}):
        assert list(Guard(step, checks={**some, **whole}).answering()) == []
    assert list(Guard(step, checks={"personal": ["EMAIL", "PERSON"]}).answering()) == []
    assert list(Guard(step, checks=some, retries=1).answering()) == []
    assert list(Guard(step, checks=some, moderator=step).answering()) == []
    assert list(Guard(step, checks=some, on_failure="otherwise", otherwise=step).answering()) == []


def test_no_check_of_nothing_is_a_guard() -> None:
    with pytest.raises(ValidationError, match="checks are none"):
        Guard(Template(text="a"), checks={"blocked": [], "secrets": False})
    assert Guard(Template(text="a"), checks={"links": []}).checks.named == ("links",)
