"""Every check of `continuo doctor`, in the order in which they are shown."""

from continuo.starters.doctor import bus, files, machine, models, servers, stores, temporal
from continuo.starters.doctor.check import Check

CHECKS: dict[str, Check] = {
    "python": machine.python,
    "package": machine.package,
    "temporal": temporal.server,
    "embedded server": temporal.embedded_server,
    "pools": temporal.pools,
    "builds": temporal.builds,
    "data folder": stores.data_folder,
    "data files": stores.data_files,
    "store": stores.store,
    "cache": stores.cache,
    "catalog": files.catalog,
    "tenants": files.tenants,
    "guardrails": files.guardrails,
    "patterns": files.patterns,
    "rules": files.rules,
    "events": bus.events,
    "alerts": bus.alerts,
    "keys": models.keys,
    "models": models.models,
    "breakers": models.breakers,
    "retirements": models.retirements,
    "simulator": servers.simulator,
    "shop": servers.shop,
    "gateway": servers.gateway,
}
