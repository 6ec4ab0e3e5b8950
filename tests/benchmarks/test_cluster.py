"""The cluster of `make cluster` is that of docker-compose.yml, and its account of calls is exact."""

from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.cluster.cluster import Cluster
from benchmarks.cluster.load.account import IN_FLIGHT, account
from tests.deploying.files import POOLS, SERVICES, arguments

ELSEWHERE = {"ui", "prometheus", "grafana", "metrics-key"}
"""Temporal's UI is in its server, and Prometheus runs where it is installed."""


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("balanced", [True, False])
def test_it_has_the_services_of_the_compose_file_with_their_commands_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, balanced: bool
) -> None:
    (tmp_path / "haproxy").touch(mode=0o755 if balanced else 0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    cluster = Cluster(tmp_path / "cluster")
    with cluster.listener or nullcontext():
        children = {child.name: child for tier in cluster.tiers for child in tier}
    expected = {name: one.get("deploy", {}).get("replicas", 1) for name, one in SERVICES.items()}
    left_out = ELSEWHERE if balanced else ELSEWHERE | {"balancer"}
    assert Counter(name.split()[0] for name in children) == {n: c for n, c in expected.items() if n not in left_out}
    for name, child in children.items():
        service = name.split()[0]
        if service in ("gateway", *POOLS):
            given = arguments(child.command[child.command.index("continuo") + 1 :])
            there = arguments(SERVICES[service]["command"][1:])
            assert given.keys() - {"socket"} <= there.keys()
            assert {key: given.get(key) for key in there if key not in ("host", "port")} == {
                key: value for key, value in there.items() if key not in ("host", "port")
            }
            needed = {key for key, value in SERVICES[service]["environment"].items() if ":-" not in str(value)}
            assert needed <= child.environment.keys()
    assert len({child.environment["CONTINUO_DATA"] for child in [*cluster.pools, *cluster.gateways]}) == 8


@given(
    identities=some.lists(some.uuids().map(str), unique=True, max_size=8),
    again=some.floats(0, 100),
    killed=some.floats(0, 100),
)
def test_a_second_answer_is_forgiven_only_to_a_pool_that_was_killed_in_mid_call(
    identities: list[str], again: float, killed: float
) -> None:
    calls = [{"idempotency_key": one, "answered": True, "time": 10.0} for one in identities]
    assert account(calls, identities, [killed]).is_clean
    assert account(calls[1:], identities, []).unasked == identities[:1]
    assert account(calls, identities[1:], []).unbooked == identities[:1]
    repeated = calls + [call | {"time": 10.0 + again} for call in calls[:1]]
    found = account(repeated, identities, [killed])
    in_flight = 10 <= killed <= 10 + IN_FLIGHT
    assert (found.in_flight, list(found.twice)) == ((len(identities[:1]), []) if in_flight else (0, identities[:1]))
    gone_on = [call | {"idempotency_key": f"{call['idempotency_key']}+2"} for call in calls]
    assert account(gone_on, identities, []).is_clean
    # An attempt without an answer counts for nothing, with the row that it may have.
    unanswered = [*calls, {"idempotency_key": "lost", "answered": False, "time": 1.0}]
    assert account(unanswered, [*identities, "lost#1"], []).is_clean
