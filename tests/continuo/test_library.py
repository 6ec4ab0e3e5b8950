"""What is read of an operator's files, and when it is read again."""

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from continuo.authoring.library import Library
from continuo.config import followed
from continuo.config.defaults import DEFAULTS
from continuo.config.settings import Settings
from continuo.config.tenants import load_tenants
from continuo.errors import InputError
from continuo.patterns import Call, Review
from continuo.patterns.review import Notify

CATALOG = """
[providers.here]
protocol = "openai"
base_url = "http://127.0.0.1:9/v1"

[models.small]
provider = "here"

[models.large]
provider = "here"

[aliases]
best = ["large"]
"""

RULES = '[[rules]]\nname = "a"\nwhen = {}\npattern = "mine"\n'
PATTERN = "description: one call\npattern: {kind: call, model: best}\n"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at a library is one at its files."""
    monkeypatch.setattr(followed, "EVERY", 0.0)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "catalog.toml").write_text(CATALOG, encoding="utf-8")
    (tmp_path / "tenants.toml").write_text("[tenants.acme]\nweight = 2.0\n", encoding="utf-8")
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    (tmp_path / "patterns").mkdir()
    (tmp_path / "patterns" / "mine.yaml").write_text(PATTERN, encoding="utf-8")
    return tmp_path


@pytest.fixture
def library(files: Path) -> Library:
    settings = Settings(
        catalog=files / "catalog.toml",
        tenants=files / "tenants.toml",
        rules=files / "rules.toml",
        patterns=files / "patterns",
        simulated=False,
    )
    return Library(settings, {})


def change(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_pattern_is_had_by_name_by_path_as_a_model_or_as_itself(library: Library, files: Path) -> None:
    asked = ("mine", str(files / "patterns" / "mine.yaml"), "model:best", Call(model="best"))
    assert [library.step(pattern) for pattern in asked] == [Call(model="large")] * 4


def test_what_is_unchanged_is_resolved_once(library: Library) -> None:
    assert library.step("mine") is library.step("mine")


@pytest.mark.parametrize(
    ("file", "old", "new", "look", "after"),
    [
        ("catalog.toml", '["large"]', '["small"]', lambda library: library.step("mine"), Call(model="small")),
        ("tenants.toml", "2.0", "3.0", lambda library: library.tenants.of("acme").weight, 3.0),
        ("rules.toml", "mine", "model:best", lambda library: library.rules.rules[0].pattern, "model:best"),
        ("patterns/mine.yaml", "best", "small", lambda library: library.step("mine"), Call(model="small")),
        ("patterns/mine.yaml", "one call", "a call", lambda library: library.named("mine").description, "a call"),
    ],
)
def test_a_changed_file_is_read_again(
    library: Library, files: Path, file: str, old: str, new: str, look: Callable[[Library], object], after: object
) -> None:
    assert look(library) != after
    change(files / file, old, new)
    assert look(library) == after


def test_a_file_that_is_replaced_by_one_of_the_same_size_and_time_is_read_again(library: Library, files: Path) -> None:
    path, other = files / "tenants.toml", files / "other.toml"
    assert library.tenants.of("acme").weight == 2
    other.write_text(path.read_text(encoding="utf-8").replace("2.0", "4.0"), encoding="utf-8")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert library.tenants.of("acme").weight == 4


def test_patterns_come_and_go_with_their_files(library: Library, files: Path) -> None:
    assert "mine" in library.names()
    (files / "patterns" / "mine.yaml").rename(files / "patterns" / "yours.yaml")
    assert "yours" in library.names()
    assert library.step("yours") == Call(model="large")
    with pytest.raises(InputError, match="unknown pattern 'mine'"):
        library.step("mine")


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("catalog.toml", "catalog"),
        ("tenants.toml", "tenants"),
        ("rules.toml", "rules"),
        ("patterns/mine.yaml", "mine.yaml"),
    ],
)
def test_a_mistake_keeps_what_was_right_and_is_told_once(library: Library, files: Path, file: str, what: str) -> None:
    def look() -> tuple[object, ...]:
        rules = library.rules
        assert rules is not None
        return library.step("mine"), library.tenants.of("acme").weight, rules.rules

    before, text = look(), (files / file).read_text(encoding="utf-8")
    with capture_logs() as logs:
        (files / file).write_text("{", encoding="utf-8")
        assert [look(), look()] == [before, before]
        (files / file).write_text("{ {", encoding="utf-8")
        assert look() == before
    assert [line["log_level"] for line in logs] == ["warning", "warning"]
    assert all(what in line["error"] for line in logs)
    (files / file).write_text(text, encoding="utf-8")
    assert look() == before


def test_a_file_that_is_gone_leaves_what_was_read(library: Library, files: Path) -> None:
    before = library.step("mine")
    with capture_logs() as logs:
        (files / "catalog.toml").unlink()
        assert [library.step("mine"), library.step("mine")] == [before, before]
    assert [line["error"][:10] for line in logs] == ["no catalog"]


@pytest.mark.parametrize("file", ["catalog.toml", "patterns/mine.yaml"])
def test_a_mistake_at_first_is_an_error_until_it_is_corrected(library: Library, files: Path, file: str) -> None:
    text = (files / file).read_text(encoding="utf-8")
    (files / file).write_text("{", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InputError, match=file):
            library.step("mine")
    (files / file).write_text(text, encoding="utf-8")
    assert library.step("mine") == Call(model="large")


def test_a_model_that_a_changed_catalog_has_no_more_is_told_with_its_line(library: Library, files: Path) -> None:
    library.step("mine")
    change(files / "catalog.toml", "best", "worst")
    with pytest.raises(InputError, match=r"mine\.yaml:2: unknown model 'best'"):
        library.step("mine")
    # Nor does it matter that the pattern is wrong by now.
    (files / "patterns" / "mine.yaml").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="unknown model 'best'"):
        library.step("mine")


@pytest.mark.parametrize(("pattern", "what"), [("yours", "pattern"), ("model:huge", "model"), ("./a.yaml", "pattern")])
def test_a_rule_that_names_what_is_not_there_is_refused(library: Library, files: Path, pattern: str, what: str) -> None:
    change(files / "rules.toml", "mine", pattern)
    with pytest.raises(InputError, match=rf"rules\.toml: rule 'a': unknown {what} "):
        _ = library.rules
    (files / "patterns" / "yours.yaml").write_text(PATTERN, encoding="utf-8")
    if pattern == "yours":
        assert library.rules is not None


def test_without_a_file_of_rules_there_are_none() -> None:
    assert Library(Settings(rules=None)).rules is None


def test_between_two_looks_nothing_is_read(library: Library, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "EVERY", 3600.0)
    before = library.step("mine")
    change(files / "catalog.toml", '["large"]', '["small"]')
    assert library.step("mine") is before


def test_a_local_server_that_starts_is_noticed_after_a_while(
    library: Library, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(files / "catalog.toml", '["large"]', '["near", "large"]')
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        near = f'[providers.near]\nprotocol = "openai"\nprobe = true\nbase_url = "{url}"\n'
        change(files / "catalog.toml", "[aliases]", f'{near}[models.near]\nprovider = "near"\n[aliases]')
        assert library.step("mine") == Call(model="large")
        server.listen()
        assert library.step("mine") == Call(model="large")
        monkeypatch.setattr("continuo.authoring.library.time.monotonic", lambda: float("inf"))
        assert library.step("mine") == Call(model="near")


def test_any_number_of_threads_look_at_once(library: Library, files: Path) -> None:
    def look(number: int) -> object:
        if number % 10 == 0:
            replacement = files / f"{number}.toml"
            replacement.write_text(CATALOG, encoding="utf-8")
            replacement.replace(files / "catalog.toml")
        return library.step("mine")

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(look, range(200))) == {Call(model="large")}


def test_the_shipped_patterns_are_found_by_default() -> None:
    assert Library().names() == sorted(path.stem for path in (DEFAULTS / "patterns").glob("*.yaml"))


async def test_a_model_or_a_service_that_was_just_added_is_known_at_once(
    library: Library, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed, "EVERY", 60.0)
    assert "new" not in (await library.catalog_with(model="large")).models
    change(files / "catalog.toml", "[aliases]", '[models.new]\nprovider = "here"\n[aliases]')
    assert "new" not in (await library.catalog_with(model="large")).models
    assert "new" in (await library.catalog_with(model="new")).models
    change(files / "catalog.toml", "[aliases]", '[services.till]\nbase_url = "http://127.0.0.1:9"\n[aliases]')
    assert "till" in (await library.catalog_with(service="till")).services
    change(files / "catalog.toml", "[models.new]", "[models.new")
    assert "new" in (await library.catalog_with(model="newer")).models


async def test_a_tenant_is_followed_in_an_event_loop(library: Library, files: Path) -> None:
    assert (await library.tenant("acme")).weight == 2
    change(files / "tenants.toml", "2.0", "3.0")
    assert (await library.tenant("acme")).weight == 3


def test_the_key_of_a_provider_that_is_added_is_masked_and_one_that_is_gone_still_is(files: Path) -> None:
    settings = Settings(catalog=files / "catalog.toml", tenants=files / "tenants.toml")
    library = Library(settings, {"OLD_KEY": "sk-old-0123456789abcdef", "NEW_KEY": "sk-new-0123456789abcdef"})
    change(files / "catalog.toml", 'protocol = "openai"', 'protocol = "openai"\nkey_env = "OLD_KEY"')
    maskers = (library.masker, library.data_masker)
    both = "sk-old-0123456789abcdef sk-new-0123456789abcdef"
    assert [masker.text(both) for masker in maskers] == ["*** sk-new-0123456789abcdef"] * 2
    change(files / "catalog.toml", "OLD_KEY", "NEW_KEY")
    assert library.catalog.providers["here"].key_env == "NEW_KEY"
    assert [masker.text(both) for masker in maskers] == ["*** ***"] * 2


def test_a_pattern_that_names_a_group_has_its_members_as_they_are_now(library: Library, files: Path) -> None:
    change(files / "tenants.toml", "[tenants.acme]", '[groups]\neditors = ["ann"]\n\n[tenants.acme]')
    (files / "patterns" / "asks.yaml").write_text(
        "description: a question\npattern: {kind: review, group: editors}\n", encoding="utf-8"
    )
    assert library.step("asks") == Review(reviewers=("ann",))
    told = '"ann", "bob"]\n\n[notify.editors]\nwebhook = "https://shop.example/hook"\nslack = "SLACK_EDITORS"'
    change(files / "tenants.toml", '"ann"]', told)
    notify = Notify(webhook="https://shop.example/hook", slack="SLACK_EDITORS")
    assert library.step("asks") == Review(reviewers=("ann", "bob"), notify=notify)
    change(files / "tenants.toml", "editors", "authors")
    with pytest.raises(InputError, match=r"asks\.yaml:2: unknown group 'editors'; .*'?authors"):
        library.step("asks")


def test_where_a_group_is_told_that_there_is_not_is_refused(files: Path) -> None:
    written = '[groups]\neditors = ["ann"]\n[notify.editor]\nslack = "SLACK"\n'
    (files / "tenants.toml").write_text(written, encoding="utf-8")
    with pytest.raises(InputError, match="unknown group in notify: 'editor'; did you mean 'editors'"):
        load_tenants(files / "tenants.toml")


@pytest.mark.parametrize(
    ("written", "why"),
    [('["ann", "ann"]', "'ann' is in it twice"), ("[]", "at least 1"), ('["ann "]', "pattern"), ('"ann"', "tuple")],
)
def test_a_group_that_is_wrong_is_refused_with_its_name(files: Path, written: str, why: str) -> None:
    (files / "tenants.toml").write_text(f"[groups]\neditors = {written}\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"editors.*{why}"):
        load_tenants(files / "tenants.toml")
