"""The manifests are valid by the schemas of Kubernetes, and speak of what there is. No cluster has run them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from continuo.config.settings import Settings
from continuo.config.tenants import load_tenants
from continuo.starters.commands.gateway import DRAIN
from continuo.starters.gateway.app import ROUTES
from continuo.workers import pool
from tests.deploying.files import KUBERNETES, OBJECTS, PODS, POOLS, arguments, commands, known_variables
from tests.deploying.test_page import PAGE
from tests.observing.test_deploy import documented, names

RULES: list[dict[str, Any]] = yaml.safe_load((KUBERNETES / "prometheus/adapter.yml").read_text(encoding="utf-8"))[
    "rules"
]["external"]
KEYS = {*OBJECTS["Secret", "continuo"]["stringData"]}


def container(name: str) -> dict[str, Any]:
    [only] = PODS[name]["containers"]
    return dict(only)


@pytest.mark.parametrize("release", ["1.30", "1.37"])
def test_every_object_is_valid_by_the_schema_of_its_kind(release: str) -> None:
    assert len(OBJECTS) == 19
    for value in OBJECTS.values():
        kubernetes_validate.validate(value, release, strict=True)


def test_a_wrong_field_is_seen() -> None:
    wrong = json.loads(json.dumps(OBJECTS["Deployment", "gateway"]).replace("readOnlyRootFilesystem", "readOnly"))
    with pytest.raises(kubernetes_validate.ValidationError, match="readOnly"):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


def test_all_is_in_one_namespace() -> None:
    namespaces = {value["metadata"].get("namespace") for (kind, _), value in OBJECTS.items() if kind != "Namespace"}
    assert namespaces == {"continuo"}
    assert ("Namespace", "continuo") in OBJECTS


def test_every_command_is_one_of_ours_and_a_pool_is_of_its_priority() -> None:
    assert {*PODS} == {"gateway", *POOLS}
    for name in POOLS:
        [line] = commands(container(name)["args"])
        assert arguments(line) == {"priority": name}


def test_every_variable_is_read_and_the_secret_has_what_is_needed() -> None:
    named = {*OBJECTS["ConfigMap", "continuo"]["data"]} | KEYS
    for name in PODS:
        for entry in container(name)["env"]:
            named.add(entry["name"])
            assert "value" in entry or entry["valueFrom"]["secretKeyRef"]["key"] in KEYS
    assert named <= known_variables()
    assert "" not in OBJECTS["Secret", "continuo"]["stringData"].values()


def test_the_project_and_the_environment_are_ones_that_a_process_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in OBJECTS["ConfigMap", "continuo-project"]["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONTINUO_TENANTS", raising=False)
    for name, value in OBJECTS["ConfigMap", "continuo"]["data"].items():
        monkeypatch.setenv(name, value)
    assert load_tenants(Settings().tenants).tenants["acme"].daily_usd == 20


def test_probes_go_to_routes_and_ports_that_are_served() -> None:
    assert {route.path for route in ROUTES} >= {
        container("gateway")[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    gateway = arguments(next(commands(container("gateway")["args"])))
    assert container("gateway")["ports"] == [{"name": "http", "containerPort": gateway["port"]}]
    for name in POOLS:
        [address] = [entry["value"] for entry in container(name)["env"] if entry["name"] == "CONTINUO_METRICS_ADDRESS"]
        assert container(name)["ports"] == [{"name": "metrics", "containerPort": int(address.rpartition(":")[2])}]
        assert {container(name)[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe")} == {
            "/metrics"
        }


def test_a_pod_has_more_time_to_end_than_its_process_takes() -> None:
    waits = container("gateway")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert PODS["gateway"]["terminationGracePeriodSeconds"] > waits + DRAIN
    for name in POOLS:
        assert PODS[name]["terminationGracePeriodSeconds"] > pool.DRAIN.total_seconds()


def test_pools_of_a_second_build_are_objects_of_their_own_beside_the_first(tmp_path: Path) -> None:
    [block] = re.findall(r"```sh\n(for pool in .*?)kubectl", PAGE, re.DOTALL)
    (tmp_path / "deploy").symlink_to(KUBERNETES.parent)
    subprocess.run(("bash", "-ec", block), cwd=tmp_path, check=True, timeout=60)
    text = (tmp_path / "pools-b2.yml").read_text(encoding="utf-8")
    made = [value for value in yaml.safe_load_all(text) if value]
    assert len(made) == 9
    for value in made:
        name = value["metadata"]["name"]
        original = OBJECTS[value["kind"], name.removesuffix("-b2")]
        as_before = json.dumps(value).replace("-b2", "").replace(":b2", ":0.1.0").replace('"b2"', '""')
        assert json.loads(as_before) == original
        if value["kind"] != "HorizontalPodAutoscaler":
            assert value["spec"]["selector"]["matchLabels"] == {"app": "continuo", "process": name}
        if value["kind"] == "Deployment":
            [pool] = value["spec"]["template"]["spec"]["containers"]
            assert pool["image"] == "continuo:b2"
            assert {"name": "CONTINUO_BUILD", "value": "b2"} in pool["env"]


def test_every_deployment_has_its_budget_and_its_autoscaler() -> None:
    for name in PODS:
        labels = OBJECTS["Deployment", name]["spec"]["selector"]["matchLabels"]
        assert labels.items() <= OBJECTS["Deployment", name]["spec"]["template"]["metadata"]["labels"].items()
        assert OBJECTS["PodDisruptionBudget", name]["spec"]["selector"]["matchLabels"] == labels
        assert OBJECTS["HorizontalPodAutoscaler", name]["spec"]["scaleTargetRef"]["name"] == name
        assert OBJECTS["HorizontalPodAutoscaler", name]["spec"]["minReplicas"] >= 2
    labels = OBJECTS["Deployment", "gateway"]["spec"]["selector"]["matchLabels"]
    assert OBJECTS["Service", "gateway"]["spec"]["selector"] == labels


def test_pools_scale_on_their_own_queue_and_slots() -> None:
    given = {rule.get("name", {}).get("as", rule["seriesQuery"]) for rule in RULES}
    for name in POOLS:
        depth, slots = (one["external"] for one in OBJECTS["HorizontalPodAutoscaler", name]["spec"]["metrics"])
        assert {depth["metric"]["name"], slots["metric"]["name"]} == given
        assert depth["metric"]["selector"]["matchLabels"] == {"priority": name}
        assert slots["metric"]["selector"]["matchLabels"] == {"task_queue": name}
        assert int(slots["target"]["averageValue"]) == Settings().slots(name) * 7 // 10


def test_the_rules_of_the_autoscalers_ask_for_metrics_that_there_are() -> None:
    for rule in RULES:
        # A label that is not asked for would have all queues added up.
        assert "<<.LabelMatchers>>" in rule["metricsQuery"]
        assert names(rule["seriesQuery"]) == names(rule["metricsQuery"])
        assert names(rule["seriesQuery"]) <= documented() | {"temporal_worker_task_slots_used"}


def test_the_pools_differ_in_nothing_but_their_names_and_figures() -> None:
    def shape(name: str) -> str:
        text = (KUBERNETES / f"{name}.yml").read_text(encoding="utf-8").replace(name, "NAME")
        return "\n".join(line for line in text.splitlines() if "averageValue" not in line)

    assert len({shape(name) for name in POOLS}) == 1


def test_prometheus_keeps_the_ports_of_the_pods_that_have_metrics() -> None:
    text = (KUBERNETES / "prometheus/scrape.yml").read_text(encoding="utf-8")
    kept = [job["relabel_configs"][0] for job in yaml.safe_load(text)["scrape_configs"]]
    prefix = "__meta_kubernetes_pod_label_"
    jobs = [(one["source_labels"][0].removeprefix(prefix), *one["regex"].split(";")) for one in kept]
    served = {
        (label, value, port["name"])
        for name in PODS
        for label, value in OBJECTS["Deployment", name]["spec"]["template"]["metadata"]["labels"].items()
        for port in container(name)["ports"]
    }
    assert len(jobs) == 2
    assert {*jobs} <= served
    [rule] = OBJECTS["NetworkPolicy", "pools"]["spec"]["ingress"]
    assert rule["ports"] == [{"port": "metrics"}]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_the_rules_count_a_queue_once_and_the_slots_of_all_pods(tmp_path: Path) -> None:
    series = {
        'continuo_queue_depth{priority="batch",kind="workflow",pod="a"}': 3,
        'continuo_queue_depth{priority="batch",kind="workflow",pod="b"}': 3,
        'continuo_queue_depth{priority="batch",kind="activity",pod="a"}': 4,
        'continuo_queue_depth{priority="critical",kind="activity",pod="a"}': 50,
        'temporal_worker_task_slots_used{task_queue="batch",worker_type="ActivityWorker",pod="c"}': 5,
        'temporal_worker_task_slots_used{task_queue="batch",worker_type="ActivityWorker",pod="d"}': 6,
        'temporal_worker_task_slots_used{task_queue="batch",worker_type="WorkflowWorker",pod="d"}': 60,
        'temporal_worker_task_slots_used{task_queue="critical",worker_type="ActivityWorker",pod="e"}': 50,
    }
    expected = [('{priority="batch"}', 7), ('{task_queue="batch"}', 11)]
    queries = [
        {
            "expr": rule["metricsQuery"].replace("<<.LabelMatchers>>", labels.strip("{}")),
            "eval_time": "1m",
            "exp_samples": [{"labels": labels, "value": value}],
        }
        for rule, (labels, value) in zip(RULES, expected, strict=True)
    ]
    values = [{"series": name, "values": f"{value}x2"} for name, value in series.items()]
    path = tmp_path / "tests.yml"
    test = {"interval": "1m", "input_series": values, "promql_expr_test": queries}
    path.write_text(yaml.safe_dump({"tests": [test]}), encoding="utf-8")
    ended = subprocess.run(("promtool", "test", "rules", path), capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
