"""Names and units are those of OpenTelemetry's conventions, as its own package pins them; docs/metrics.md has all."""

import re
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, http_attributes
from opentelemetry.semconv.metrics import http_metrics
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from continuo.operations import metrics
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
OURS: list[Any] = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
ATTRIBUTES = {
    value.replace(".", "_")
    for module in (gen_ai_attributes, http_attributes, error_attributes)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}
STANDARD = {
    value.replace(".", "_")
    for module in (gen_ai_metrics, http_metrics)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}


def shown(metric: Any) -> str:
    """As Prometheus knows it."""
    return f"{metric._name}_total" if isinstance(metric, Counter) else str(metric._name)


def test_a_metric_is_one_of_the_conventions_or_says_that_it_is_ours() -> None:
    names = {shown(one).removesuffix("_seconds") for one in OURS}
    assert {name for name in names if not name.startswith("continuo_")} <= STANDARD
    durations = {shown(one) for one in OURS if isinstance(one, Histogram) and "usage" not in shown(one)}
    assert all(name.endswith("_seconds") for name in durations)


def test_a_label_is_an_attribute_of_the_conventions_or_a_word_of_ours() -> None:
    ours = {"pattern", "priority", "estimated", "result", "status", "served_by", "tier", "stage", "action"}
    assert {label for one in OURS for label in one._labelnames} - ATTRIBUTES == ours
    assert "gen_ai_system" not in {label for one in OURS for label in one._labelnames}


def test_the_conventions_give_the_units() -> None:
    meter = MeterProvider(shutdown_on_exit=False).get_meter("t")
    duration: Any = gen_ai_metrics.create_gen_ai_client_operation_duration(meter)
    first: Any = gen_ai_metrics.create_gen_ai_client_operation_time_to_first_chunk(meter)
    usage: Any = gen_ai_metrics.create_gen_ai_client_token_usage(meter)
    assert (duration.unit, first.unit, usage.unit) == ("s", "s", "{token}")


def test_the_page_lists_every_metric_with_its_labels() -> None:
    rows = dict(re.findall(r"^\| `((?:continuo|gen_ai|http)_\w+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
    for one in OURS:
        assert set(re.findall(r"`(\w+)`", rows[shown(one)])) == set(one._labelnames), shown(one)
    facts = (ROOT / "continuo" / "observing" / "facts.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(continuo_\w+)"', facts)) == set(rows) - {shown(one) for one in OURS}
