"""deploy/alerts.yml says the same as the shipped rules, and Prometheus reads it so."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from continuo.config.alerts import load_alerts
from continuo.config.settings import Settings
from tests.support.repository import ROOT

FILE = ROOT / "deploy" / "alerts.yml"
RULES = load_alerts(Settings.model_fields["alerts"].default).rules
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for rule in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"][0]["rules"]
}

SERIES = {
    "DailyCost": ["continuo_call_cost_usd_total 0+20x10 200x200"],
    "CacheHitRate": ['continuo_cache_lookups_total{result="miss"} 0+10x10 100x200'],
    "ErrorRate": [
        'continuo_runs_total{status="failed"} 0+5x10 50x200',
        'continuo_runs_total{status="done"} 0+5x10 50x200',
    ],
    "BudgetExceeded": ['continuo_budget_used_ratio{tenant="acme"} 1x10 0x200'],
    "BreakerOpen": ['continuo_breaker_state{state="open",gen_ai_provider_name="p"} 1x10 0x200'],
    "QueueAge": ['continuo_queue_age_seconds{priority="batch",kind="workflow"} 61x10 0x200'],
    "ReviewOverdue": ["continuo_reviews_overdue 1x10 0x200"],
    "DeadLetters": ["continuo_dead_letters_open 1x10 0x200"],
    "Retirement": ['continuo_model_retirement_days{gen_ai_request_model="m"} 29x10 30x200'],
}
"""A value every ten minutes: bad ones for a hundred minutes, and then good ones or none."""


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def test_each_shipped_rule_has_its_alert_with_the_same_limit_and_severity() -> None:
    assert {camel(name) for name in RULES} == {*ALERTS}
    for name, rule in RULES.items():
        alert = ALERTS[camel(name)]
        assert alert["labels"]["severity"] == rule.severity
        # A budget is a count there, and a share here.
        limit = ">= 1" if rule.measure == "budgets_exceeded" else f"{'<' if rule.above is None else '>'} {rule.limit:g}"
        assert limit in alert["expr"]
        assert (f">= {rule.least}" in alert["expr"]) == rule.measure.endswith("_rate")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_each_fires_and_recovers_in_prometheus(tmp_path: Path) -> None:
    def firing(alert: str, minute: int, expected: int) -> dict[str, Any]:
        expr = f'count(ALERTS{{alertname="{alert}"}}) or vector(0)'
        return {"expr": expr, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": expected}]}

    tests = [
        {
            "interval": "10m",
            "input_series": [
                {"series": line.partition(" ")[0], "values": line.partition(" ")[2]} for line in SERIES[alert]
            ],
            "promql_expr_test": [firing(alert, 100, 1), firing(alert, 1800 if alert == "DailyCost" else 200, 0)],
        }
        for alert in ALERTS
    ]
    path = tmp_path / "tests.yml"
    path.write_text(
        yaml.safe_dump({"rule_files": [str(FILE)], "evaluation_interval": "10m", "tests": tests}), encoding="utf-8"
    )
    ended = subprocess.run(("promtool", "test", "rules", path), capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
