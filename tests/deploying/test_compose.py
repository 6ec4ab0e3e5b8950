"""docker-compose.yml is one by its specification, and speaks of what there is. No container engine has run it."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator

from continuo import __version__
from continuo.starters.commands.gateway import DRAIN
from continuo.workers import pool
from tests.deploying.files import (
    COMPOSE,
    DEPLOY,
    POOLS,
    SERVICES,
    arguments,
    commands,
    known_variables,
    provider_variables,
    seconds,
)
from tests.support.repository import ROOT

OURS = {name: service for name, service in SERVICES.items() if "build" in service}
LASTING = [name for name, service in SERVICES.items() if "profiles" not in service and name != "metrics-key"]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")


def test_it_is_valid_by_the_specification_of_compose() -> None:
    Draft7Validator(get_builtin_schema("vendor.compose-spec")).validate(COMPOSE)


def test_every_image_has_a_version_and_ours_this_one() -> None:
    assert {service["image"] for service in OURS.values()} == {f"continuo:{__version__}"}
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", service["image"]), name


def test_every_command_is_one_of_ours() -> None:
    lines = [line for service in OURS.values() for line in commands(service["command"])]
    assert len(lines) == 5
    for line in lines:
        arguments(line)
    modules = [service["command"][2] for service in OURS.values() if service["command"][0] == "python"]
    assert len(modules) == 2
    assert [module for module in modules if find_spec(module) is None] == []


def test_every_variable_is_read_and_every_key_of_the_catalog_is_handed_on() -> None:
    for name, service in OURS.items():
        assert {*service["environment"]} <= known_variables(), name
        assert provider_variables() <= {*service["environment"]}, name


def test_a_secret_that_is_missing_ends_the_start_with_where_to_read() -> None:
    secret = {name for name in re.findall(r"\$\{(\w+)", TEXT) if name.endswith(("PASSWORD", "VAULT_KEY"))}
    assert secret == {"POSTGRES_PASSWORD", "CONTINUO_VAULT_KEY", "GRAFANA_PASSWORD"}
    for name in secret:
        assert {*re.findall(rf"\$\{{{name}(.*?)\}}", TEXT)} == {":?set it in .env, see docs/deploying.md"}
        assert f"{name}=" in PAGE


def test_what_is_waited_for_is_there_and_says_whether_it_is_well() -> None:
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert ("healthcheck" in SERVICES[name]) == (how["condition"] == "service_healthy")


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_starts_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert "healthcheck" in SERVICES[name] or name == "ui"


def test_a_stop_leaves_more_time_than_what_stops_takes() -> None:
    assert seconds(SERVICES["gateway"]["stop_grace_period"]) > DRAIN
    for name in POOLS:
        assert seconds(SERVICES[name]["stop_grace_period"]) > pool.DRAIN.total_seconds()


def test_what_scales_has_no_port_and_no_name_of_the_host() -> None:
    for name in ("gateway", *POOLS):
        assert not {"ports", "container_name", "volumes"} & {*SERVICES[name]}


def test_every_file_that_is_mounted_is_there_and_every_volume_is_declared() -> None:
    sources = {str(volume).partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    files = {source for source in sources if source.startswith("./")}
    assert len(files) == 6
    assert [source for source in files if not (ROOT / source).exists()] == []
    assert sources - files == {*COMPOSE["volumes"]}


def test_prometheus_and_grafana_look_where_the_services_listen() -> None:
    jobs = yaml.safe_load((DEPLOY / "compose/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    looks = [config for job in jobs for config in job.get("dns_sd_configs", ())]
    looked = {(name, config["port"]) for config in looks for name in config["names"]}
    gateway = arguments(next(commands(SERVICES["gateway"]["command"])))
    addresses = {name: SERVICES[name]["environment"]["CONTINUO_METRICS_ADDRESS"] for name in POOLS}
    pools = {(name, int(address.rpartition(":")[2])) for name, address in addresses.items()}
    assert looked == {("gateway", gateway["port"])} | pools
    local, here = (
        yaml.safe_load((DEPLOY / place / "datasources/prometheus.yml").read_text(encoding="utf-8"))["datasources"]
        for place in ("grafana/provisioning", "compose")
    )
    assert [{**source, "url": "http://prometheus:9090"} for source in local] == here


def test_temporal_shares_queues_by_weight_as_the_embedded_server_does() -> None:
    values: dict[str, Any] = yaml.safe_load(COMPOSE["configs"]["temporal"]["content"])
    assert {name: value["value"] for name, [value] in values.items()} == {
        "matching.useNewMatcher": True,
        "matching.enableFairness": True,
    }


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("name", ["compose/prometheus.yml", "kubernetes/prometheus/scrape.yml"])
def test_prometheus_finds_no_mistake_in_its_configuration(tmp_path: Path, name: str) -> None:
    config = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    (tmp_path / "key").touch()
    (tmp_path / "alerts.yml").write_bytes((DEPLOY / "alerts.yml").read_bytes())
    for job in config["scrape_configs"]:
        # Debian's Prometheus is built without it.
        job.pop("kubernetes_sd_configs", None)
        if "authorization" in job:
            job["authorization"]["credentials_file"] = "key"
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    line = ("promtool", "check", "config", tmp_path / "prometheus.yml")
    ended = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
