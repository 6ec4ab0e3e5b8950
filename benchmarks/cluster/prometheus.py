"""Prometheus over the cluster, where it is installed, with deploy/prometheus.yml."""

import os

import yaml

from benchmarks.cluster.balancer import is_well
from benchmarks.cluster.cluster import Cluster
from benchmarks.cluster.compose import ROOT
from continuo.observing.exposition import free_address
from continuo.workers.local.processes import Child

DEPLOY = ROOT / "deploy"


class Prometheus(Child):
    """It reads the gateways with `key`, that of an admin."""

    def __init__(self, cluster: Cluster, key: str) -> None:
        address, folder = free_address(), cluster.folder / "prometheus"
        folder.mkdir(exist_ok=True)
        self.url = f"http://{address}"
        configuration = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
        targets = {"continuo-gateway": cluster.addresses, "continuo-pools": [*cluster.metrics.values()]}
        for job in configuration["scrape_configs"]:
            job["static_configs"] = [{"targets": targets[job["job_name"]]}]
        for name, text in {
            "prometheus.yml": yaml.safe_dump(configuration),
            "alerts.yml": (DEPLOY / "alerts.yml").read_text(encoding="utf-8"),
            "continuo-admin-key": key,
        }.items():
            (folder / name).write_text(text, encoding="utf-8")
        line = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        line += [f"--web.listen-address={address}"]

        async def ready() -> bool:
            return await is_well(f"{self.url}/-/ready")

        log = cluster.folder / "logs" / "prometheus.log"
        super().__init__("prometheus", ["prometheus", *line], log, ready, os.environ)
