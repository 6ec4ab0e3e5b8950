"""What is in deploy/: dashboards and Prometheus's configuration, beside what a process really shows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from continuo.workers.local.ports import Ports
from tests.support.repository import ROOT

DEPLOY = ROOT / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


def panels(path: Path) -> Iterator[tuple[str, str]]:
    """The title of each panel, and each of its queries."""
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def names(query: str) -> set[str]:
    """The metrics of a query."""
    without_labels = re.sub(r"\bby \([^)]*\)", "", query)
    return set(re.findall(r"\b(?:continuo|gen_ai_client|http_server|temporal|process)_\w+", without_labels))


def of_ours(query: str) -> set[str]:
    """Those of them that are not of Temporal's SDK or the process itself, as the page calls them."""
    theirs = ("temporal_", "process_")
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names(query) if not name.startswith(theirs)}


def documented() -> set[str]:
    return set(re.findall(r"^\| `((?:continuo|gen_ai|http)_\w+)` \|", PAGE, re.MULTILINE))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_panel_asks_for_metrics_that_there_are(path: Path) -> None:
    for title, query in panels(path):
        assert names(query) != set(), title
        assert of_ours(query) <= documented(), title


def test_every_metric_of_ours_is_in_a_panel() -> None:
    shown = {name for path in DASHBOARDS for _, query in panels(path) for name in of_ours(query)}
    assert shown == documented()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_one_that_grafana_takes(path: Path) -> None:
    dashboard: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len({*ids}) == len(ids)
    [source] = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len({*places}) == len(places)


def test_prometheus_looks_where_the_local_stack_listens() -> None:
    gateway, pools = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    first = Ports.metrics
    assert gateway["static_configs"][0]["targets"] == [f"127.0.0.1:{Ports.gateway}"]
    assert pools["static_configs"][0]["targets"] == [f"127.0.0.1:{port}" for port in (first, first + 1, first + 2)]
