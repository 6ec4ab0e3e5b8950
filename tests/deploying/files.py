"""What is deployed: the services of docker-compose.yml and the objects of deploy/kubernetes."""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import yaml

from continuo.config.catalog import load_catalog
from continuo.config.defaults import DEFAULTS
from continuo.config.settings import Settings
from continuo.jobs import Priority
from continuo.protection import encryption, vault_key, webhooks
from continuo.starters.app import app
from tests.support.repository import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    (value["kind"], value["metadata"]["name"]): value
    for path in (*KUBERNETES.glob("*.yml"), *KUBERNETES.glob("examples/*.yml"))
    for value in yaml.safe_load_all(path.read_text(encoding="utf-8"))
}
POOLS = get_args(Priority)
PODS: dict[str, dict[str, Any]] = {
    name: value["spec"]["template"]["spec"] for (kind, name), value in OBJECTS.items() if kind == "Deployment"
}


def provider_variables() -> set[str]:
    """The variables that the shipped catalog names."""
    catalog = load_catalog(DEFAULTS / "catalog.toml")
    of = [*catalog.providers.values(), *catalog.services.values()]
    return {name for one in of for name in (getattr(one, "key_env", None), one.base_url_env) if name}


def known_variables() -> set[str]:
    """Those that a process of ours reads."""
    settings = {f"CONTINUO_{field.upper()}" for field in Settings.model_fields}
    keys = {module.VARIABLE for module in (encryption, vault_key, webhooks)}
    temporal = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY"}
    return settings | keys | temporal | provider_variables() | {"DATABASE_URL", "REDIS_URL"}


def commands(command: Sequence[str]) -> Iterator[list[str]]:
    """The `continuo` commands of a container's command, also where a shell runs them."""
    if command[0] == "continuo":
        yield [*command[1:]]
    elif command[:2] == ["sh", "-c"]:
        for line in re.split(r"\|\||&&", command[2]):
            words = shlex.split(line.partition(">")[0])
            if words[0] == "continuo":
                yield words[1:]


def arguments(command: Sequence[str]) -> dict[str, Any]:
    """What the command line makes of it. Raises where it would refuse it."""
    return dict(app.parse_args(command, exit_on_error=False, print_error=False)[1].arguments)


def seconds(text: str) -> int:
    """A duration of a compose file, which is in seconds alone here."""
    return int(text.removesuffix("s"))
