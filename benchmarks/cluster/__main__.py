"""`python -m benchmarks.cluster [--data DIR]`: the cluster until Ctrl-C."""

import asyncio
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from cyclopts import App

from benchmarks.cluster.cluster import Cluster
from benchmarks.cluster.prometheus import Prometheus
from continuo.errors import InputError
from continuo.temporal.leave import leave
from continuo.testing.processes import running
from continuo.workers.local.interrupted import Interrupted, until_interrupted

app = App(name="benchmarks.cluster", help="Run the cluster of docker-compose.yml without a container engine.")


async def serve(folder: Path) -> None:
    cluster = Cluster(folder)
    missing = "not here; apt-get install"
    async with cluster.running(), AsyncExitStack() as stack:
        prometheus = f"{missing} prometheus"
        if shutil.which("prometheus"):
            child = Prometheus(cluster, await cluster.key("prometheus", admin=True))
            prometheus = (await stack.enter_async_context(running(child)), child.url)[1]
        rows = {
            "gateways": f"{cluster.url}/v1",
            "balancer": "HAProxy" if cluster.balancer else f"{missing} haproxy; the gateways share one socket",
            "a key for them": await cluster.key("cluster", admin=True),
            "Temporal UI": cluster.temporal.ui,
            "Temporal server": f"{cluster.temporal.address}, on SQLite: the embedded server has no other store",
            "PostgreSQL": cluster.postgresql.url,
            "Redis": cluster.redis.url,
            "metrics of the pools": " ".join(cluster.metrics.values()),
            "Prometheus": prometheus,
            "simulated provider": cluster.environment["CONTINUO_SIM_URL"],
            "example shop": cluster.environment["CONTINUO_SHOP_URL"],
            "data and logs": str(folder),
        }
        for what, where in rows.items():
            print(f"{what:<20} {where}")
        print("ready; what dies is started again (Ctrl-C ends everything)", flush=True)
        await asyncio.Event().wait()


@app.default
def main(*, data: Path | None = None) -> None:
    """Start all processes, print their addresses, and end them at Ctrl-C.

    Parameters
    ----------
    data
        The folder of their data and logs; by default one that goes with them.
    """
    code = 0
    with tempfile.TemporaryDirectory(prefix="continuo-cluster-") as folder:
        try:
            with suppress(Interrupted):
                asyncio.run(until_interrupted(serve((data or Path(folder)).resolve())))
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 2
    leave(code)


app()
