"""HAProxy before the gateways, where it is installed, with deploy/haproxy.cfg."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.cluster.compose import ROOT
from continuo.observing.exposition import free_address
from continuo.workers.local.processes import Child

FILE = ROOT / "deploy" / "haproxy.cfg"


def configuration(clients: str, own: str, gateways: Sequence[str]) -> str:
    """The file, with these addresses, each HOST:PORT, in place of those in docker-compose.yml: where clients and the
    balancer's own health and metrics are served, and the gateways behind it."""
    servers = "\n".join(f"    server gateway{number} {address}" for number, address in enumerate(gateways, 1))
    text = re.sub(" +server-template .*", servers, FILE.read_text(encoding="utf-8"))
    return re.sub("bind :8080", f"bind {clients}", re.sub("bind :8404", f"bind {own}", text))


class Balancer(Child):
    """It is ready when a gateway is."""

    def __init__(self, folder: Path, gateways: Sequence[str]) -> None:
        address, own = free_address(), free_address()
        self.url = f"http://{address}"
        path = folder / "haproxy.cfg"
        path.write_text(configuration(address, own, gateways), encoding="utf-8")

        async def ready() -> bool:
            return await is_well(f"http://{own}/healthz")

        super().__init__("balancer", ["haproxy", "-f", str(path)], folder / "logs" / "balancer.log", ready, os.environ)


async def is_well(url: str) -> bool:
    """Whether that address answers with success."""
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(url)).is_success
    except httpx.TransportError:
        return False
