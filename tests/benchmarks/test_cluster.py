"""The cluster of `make cluster` is that of docker-compose.yml, and its account of calls is exact."""

import asyncio
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.cluster.cluster import Cluster
from benchmarks.cluster.failover.account import Paid, behind, paid
from benchmarks.cluster.failover.link import Link
from benchmarks.cluster.failover.region import Kept
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


@given(recorded=some.lists(some.booleans(), max_size=6), reached=some.integers(0, 6), cut_off=some.integers(0, 3))
def test_what_a_lost_region_had_is_paid_again_as_far_as_it_did_not_reach_the_other_one(
    recorded: list[bool], reached: int, cut_off: int
) -> None:
    """`recorded` says of each answer whether the region had journalled it; of those the first `reached` had arrived."""
    answers = {f"first/{number}": float(number) for number, known in enumerate(recorded) if known}
    lost, kept = Kept(answers, {"request": 0.5}), Kept(dict([*answers.items()][:reached]), {"request": 0.5})
    missing = answers.keys() - kept.answers.keys()

    def call(region: str, number: int, *, answered: bool = True) -> dict[str, object]:
        own = {"idempotency_key": f"{region}/{number}", "time": 1.0 if region == "first" else 2.0}
        return {**own, "body": {"input": number}, "answered": answered}

    before = [call("first", number) for number in range(len(recorded))]
    before += [call("first", 10 + number, answered=False) for number in range(cut_off)]
    after = [call("second", number) for number in range(len(recorded)) if f"first/{number}" not in kept.answers]
    after += [call("second", 10 + number) for number in range(cut_off)]
    expected = Paid(cut_off=cut_off, unrecorded=recorded.count(False), unreplicated=len(missing))
    assert paid([*after, *before], lost, kept) == expected
    again = [call("second", number) for number in range(len(recorded)) if f"first/{number}" in kept.answers]
    assert paid([*after, *before, *again], lost, kept).replicated == len(again)
    assert behind(lost, kept, 10.0) == max((10 - answers[one] for one in missing), default=0.0)
    assert behind(lost, Kept(answers, {}), 10.0) == 9.5


async def test_what_goes_into_a_link_comes_out_in_its_order_until_it_is_cut() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        async with Link("{}:{}".format(*server.sockets[0].getsockname())) as link:
            link.delay = 0.01
            reader, writer = await asyncio.open_connection(*link.address.split(":"))
            sent = [f"{number}," for number in range(50)]
            for one in sent:
                writer.write(one.encode())
                await asyncio.sleep(0)
            assert await reader.readexactly(len("".join(sent))) == "".join(sent).encode()
            link.cut()
            (end,) = await asyncio.gather(reader.read(), return_exceptions=True)
            assert end == b"" or isinstance(end, ConnectionError)
        writer.close()
