"""A project's `continuo.toml`: where it is looked for, and what it says."""

from pathlib import Path

import pytest

from continuo.authoring.library import Library
from continuo.config.defaults import DEFAULTS
from continuo.config.settings import Settings, environment
from continuo.errors import InputError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, two below that of a project; nothing of the session's environment names a file."""
    for name in ("DATA", "CATALOG", "TENANTS", "PATTERNS", "KNOWLEDGE", "SIMULATED", "CRITICAL_SLOTS"):
        monkeypatch.delenv(f"CONTINUO_{name}", raising=False)
    folder = tmp_path / "project"
    (folder / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(folder / "src" / "deep")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_without_a_project_the_shipped_files_hold(project: Path) -> None:
    assert Settings().catalog == DEFAULTS / "catalog.toml"
    assert "support" in Library().names()


def test_a_command_finds_the_file_from_any_folder_below_and_its_paths_are_relative_to_it(project: Path) -> None:
    write(project / "continuo.toml", 'patterns = "own"\ndata = "/kept"\ncritical_slots = 7\njournal_retention = "2d"\n')
    settings = Settings()
    assert (settings.patterns, settings.data, settings.critical_slots) == (project / "own", Path("/kept"), 7)
    assert settings.journal_retention == 2 * 86_400


def test_the_environment_counts_more_than_dotenv_and_that_more_than_the_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project / "continuo.toml", "critical_slots = 1\nstandard_slots = 1\nbatch_slots = 1\n")
    write(project / ".env", "CONTINUO_CRITICAL_SLOTS=2\nCONTINUO_STANDARD_SLOTS=2\nOPENAI_API_KEY=sk-mine\n")
    monkeypatch.setenv("CONTINUO_CRITICAL_SLOTS", "3")
    settings = Settings()
    assert (settings.critical_slots, settings.standard_slots, settings.batch_slots) == (3, 2, 1)
    assert environment()["OPENAI_API_KEY"] == "sk-mine"


def test_a_path_in_dotenv_is_relative_to_its_folder_and_one_in_the_environment_to_the_working_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project / "continuo.toml", "")
    write(project / ".env", "CONTINUO_DATA=kept\n")
    monkeypatch.setenv("CONTINUO_KNOWLEDGE", "pages")
    assert (Settings().data, Settings().knowledge) == (project / "kept", Path("pages"))


def test_the_nearest_file_holds_and_none_above_the_home_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project / "continuo.toml", "batch_slots = 1\n")
    monkeypatch.setenv("HOME", str(project / "src"))
    assert Settings().batch_slots == 20
    write(project / "src" / "continuo.toml", "batch_slots = 2\n")
    assert Settings().batch_slots == 2


def test_a_working_folder_that_was_removed_is_in_no_project(project: Path) -> None:
    Path.cwd().rmdir()
    assert Settings().batch_slots == 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch_slots = 0", "continuo.toml: batch_slots: Input should be greater than or equal to 1"),
        ('data = ""', "continuo.toml: data: empty; name a path, or unset it"),
        ("data = 3", "continuo.toml: data: "),
        ("batch_slot = 1", r"continuo.toml: unknown setting 'batch_slot'; did you mean 'batch_slots'\?"),
        ("batch_slots", "continuo.toml: not TOML: "),
    ],
)
def test_a_mistake_names_the_file_and_the_field(project: Path, text: str, message: str) -> None:
    write(project / "continuo.toml", text)
    with pytest.raises(InputError, match=message):
        Settings()


def test_a_mistake_in_the_environment_names_the_variable_though_the_file_has_the_field_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project / "continuo.toml", "batch_slots = 1")
    monkeypatch.setenv("CONTINUO_BATCH_SLOTS", "0")
    with pytest.raises(InputError, match=r"^CONTINUO_BATCH_SLOTS=0: "):
        Settings()


def test_patterns_of_a_project_are_beside_the_shipped_ones_and_win_by_name(project: Path) -> None:
    write(project / "continuo.toml", 'patterns = "patterns"')
    for name in ("mine", "support"):
        write(project / "patterns" / f"{name}.yaml", "description: Mine.\npattern: {kind: template, text: Hello.}\n")
    library = Library()
    assert {"answer", "mine", "support"} < set(library.names())
    assert library.names() == sorted(library.names())
    assert library.named("support").description == "Mine."
    assert library.named("answer").description != "Mine."


def test_a_catalog_is_laid_over_the_shipped_one_field_by_field(project: Path) -> None:
    write(project / "continuo.toml", 'catalog = "config/catalog.toml"')
    own = """
        [providers.openai]
        limits = { concurrency = 3 }
        [providers.ours]
        protocol = "openai"
        base_url = "https://models.example.com/v1"
        [models.own-model]
        provider = "ours"
        [models.gpt-6-luna]
        price = { input = 1, output = 2, source = "our contract", date = 2026-11-01 }
        [aliases]
        mini = ["own-model"]
        """
    write(project / "config" / "catalog.toml", own)
    catalog = Library().catalog
    assert catalog.providers["openai"].limits.concurrency == 3
    assert catalog.providers["openai"].key_env == "OPENAI_API_KEY"
    luna = catalog.models["gpt-6-luna"]
    assert luna.inputs == ("text", "image", "file")
    assert luna.price is not None
    assert luna.price.cached is None, "a field is replaced whole"
    assert catalog.aliases["mini"] == ("own-model",)
    assert "premium" in catalog.aliases


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("providers = 3", "catalog.toml: providers: Input should be a valid dictionary"),
        ('models.gpt-6-luna = "x"', "catalog.toml: models"),
        ('[models.own]\nprovider = "opanai"', "did you mean 'openai'"),
    ],
)
def test_a_mistake_in_a_catalog_names_its_own_file(project: Path, own: str, message: str) -> None:
    write(project / "continuo.toml", 'catalog = "config/catalog.toml"')
    write(project / "config" / "catalog.toml", own)
    with pytest.raises(InputError, match=message) as error:
        _ = Library().catalog
    assert str(error.value).startswith(str(project))
