"""Which patterns ask models that retire."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from continuo.activities.alerting import Alerting
from continuo.authoring.library import Library
from continuo.authoring.retiring import retiring, soon
from continuo.config.alerts import Rule
from continuo.config.settings import Settings
from continuo.decisions.alerts import Sample
from continuo.observing.facts import Facts
from continuo.starters.commands.listing import patterns
from continuo.starters.doctor.models import retirements
from continuo.workers.retiring import warn

TODAY = datetime.now(UTC).date()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """One that has a pattern for a model that retires in 20 days, one in 200 days, and one that has."""
    lines = [
        '[providers.here]\nprotocol = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nsimulated = true',
        '[models.new]\nprovider = "here"',
    ]
    (tmp_path / "patterns").mkdir()
    for name, days in {"soon": 20, "late": 200, "gone": -1, "unasked": 1}.items():
        lines.append(
            f'[models.{name}]\nprovider = "here"\nretires = {TODAY + timedelta(days=days)}\nreplaced_by = "new"'
        )
        if name != "unasked":
            text = f"description: one call\npattern: {{kind: call, model: {name}}}\n"
            (tmp_path / "patterns" / f"by-{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "catalog.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("CONTINUO_CATALOG", str(tmp_path / "catalog.toml"))
    monkeypatch.setenv("CONTINUO_PATTERNS", str(tmp_path / "patterns"))
    return Library(Settings(), {})


async def test_models_that_patterns_ask_are_told_with_the_next_one_first(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [(one.model, one.days, one.patterns) for one in retiring(library)] == [
        ("gone", -1, ("by-gone",)),
        ("soon", 20, ("by-soon",)),
        ("late", 200, ("by-late",)),
    ]
    assert [one.model for one in soon(library)] == ["gone", "soon"]
    with capture_logs() as logs:
        warn(library)
    assert [(one["log_level"], one["model"]) for one in logs] == [("warning", "gone"), ("warning", "soon")]
    finding = await retirements(library)
    assert (finding.status, finding.fix) == ("warning", "try another one: continuo retire gone --with MODEL")
    assert (
        f"soon retires on {TODAY + timedelta(days=20)} and new answers from then on; it is asked by by-soon"
        in finding.message
    )
    assert patterns() == 0
    assert capsys.readouterr().err.count("warning: ") == 2


async def test_an_alert_and_a_metric_have_the_days_that_are_left(library: Library) -> None:
    alerting = Alerting(library, *[None] * 3)  # type: ignore[arg-type]
    measured = await alerting._measure(Rule(measure="days_to_retirement", below=30), datetime.now(UTC))
    assert measured == {"gone": Sample(-1), "soon": Sample(20), "late": Sample(200)}
    [metric] = await Facts(None, library, None)._retirements()  # type: ignore[arg-type]
    shown = {sample.labels["gen_ai_request_model"]: sample.value for sample in metric.samples}
    assert shown == {"gone": -1, "soon": 20, "late": 200}
