"""What docs/events.md shows is right and runs."""

import re
import shlex
from pathlib import Path

import pytest

from continuo.config.alerts import Slack, load_alerts
from continuo.config.events import TYPES, load_events
from continuo.config.settings import DAY, Settings
from continuo.operations.alerts import limit_of
from continuo.starters.app import app
from continuo.workers import dispatching
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
EVENTS, ALERTS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
[COMMANDS] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_files_are_right(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text(EVENTS, encoding="utf-8")
    (tmp_path / "alerts.toml").write_text(ALERTS, encoding="utf-8")
    assert {*load_events(tmp_path / "events.toml").subscribers} == {"billing", "everything"}
    alerts = load_alerts(tmp_path / "alerts.toml")
    assert {channel.kind for channel in alerts.channels.values()} == {"slack", "pagerduty", "email", "webhook"}
    assert alerts.channels["chat"] == Slack(kind="slack", url_env="SLACK_WEBHOOK_URL")


def test_every_type_and_every_default_rule_is_named() -> None:
    assert {*re.findall(r"`(\w+\.\w+)`", "\n".join(re.findall(r"^\| `.*? \|", PAGE, re.MULTILINE)))} == {*TYPES}
    rules = load_alerts(Settings.model_fields["alerts"].default).rules
    assert dict(re.findall(r"^\| `([\w-]+)` \| ((?:above|below) .*?) \|$", PAGE, re.MULTILINE)) == {
        name: limit_of(rule) for name, rule in rules.items()
    }


def test_its_figures_are_those_of_the_code() -> None:
    assert Settings.model_fields["event_retention"].default == 7 * DAY
    assert Settings.model_fields["webhook_pause"].default == 5
    assert (dispatching.LONGEST_PAUSE, dispatching.GIVEN_UP, dispatching.LEASE) == (300, DAY, 10)


@pytest.mark.parametrize("command", COMMANDS.splitlines())
async def test_every_command_works(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    function, arguments, _ = app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)
    assert await function(*arguments.args, **arguments.kwargs) == 0
