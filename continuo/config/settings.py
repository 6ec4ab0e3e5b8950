"""What the environment, `.env` and `continuo.toml` say. Every variable of our own begins with `CONTINUO_`."""

import os
import re
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_cache_path, user_data_path
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from continuo.config.catalog import Provider
from continuo.config.code import Code, separated
from continuo.config.defaults import DEFAULTS
from continuo.config.environment import Environment
from continuo.config.project import env_file, project_file
from continuo.config.protocols import protocol
from continuo.config.sources import readable
from continuo.config.toml_file import read_toml
from continuo.data import seconds
from continuo.errors import InputError, unknown

if TYPE_CHECKING:
    # It knows of every pattern, which takes a listing without them as long to load as all the rest.
    from continuo.jobs import Priority

MAX_SLOTS = 10_000
PATHS = (
    "data", "cache", "catalog", "tenants", "guardrails", "rules", "events", "alerts", "patterns", "knowledge", "evals",
)  # fmt: skip
"""The settings that name a file or a folder."""

_BUILD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""As a tag of an image, without what the server keeps for itself."""

DAY = 86_400.0


Retention = Annotated[float, Field(ge=DAY, le=3650 * DAY), BeforeValidator(seconds)]
"""Seconds for which something is kept, from one day to ten years; a text such as `30d` too."""


class Settings(BaseSettings):
    """Defaults for every process: a variable counts more than `.env`, and that more than the project's `continuo.toml`.

    In these files paths are relative to the file. `catalog` and `patterns` are laid over the shipped ones.
    `rules` is a file of rules that decide before any model, and `events` one of subscribers; by default there is none.
    `evals` is a folder of golden sets and of what evaluations of them came to.
    `data` holds the stores and the embedded server's database, `cache` what can be had again.
    `simulated` restricts aliases to simulated models, so that nothing is spent whatever keys are set.
    `heartbeat` is in seconds: a cancellation travels back on one, so it is how late a request is aborted.
    `key_refresh` is how long after it was read what files and commands say of keys is read again, in seconds.
    A retention says how long that is kept which nothing needs any more; `ledger_retention` and
    `conversation_retention` None are for ever. Responses and stored completions have `response_retention` from when
    they were made, conversations have theirs from when something was last added.
    `stream_retention` is for how long after its last piece a stream can be gone on with.
    `media_hosts` are the hosts, with commas between them, from whose addresses media are fetched; none by default.
    `webhook_private` lets webhooks go into private networks and over http; `webhook_pause` is the first pause between
    two tries, in seconds, which doubles each time.
    `gateway_url` is where people reach a gateway, for the links in what they are told of reviews: none without it.
    `oidc_issuer` is the address of an OpenID Connect issuer whose tokens for `oidc_audience` are let in, beside API
    keys; `oidc_tenant_claim` is their claim that names the tenant.
    `code` names the modules whose functions patterns may call, in the environment with commas between them.
    `metrics_address` is where a pool serves its metrics, as HOST:PORT; port 0 is any free one, and empty is nowhere.
    `trace_content` puts what was said into the spans of calls.
    `sandbox` runs workflows in Temporal's sandbox, which catches what is not deterministic and costs time.
    `build` is the build of the code that a pool has, such as a commit or an image's tag: a run ends on the one that
    began it. Empty, there are no builds.
    """

    model_config = SettingsConfigDict(env_prefix="CONTINUO_", extra="ignore")

    data: Path = user_data_path("continuo")
    cache: Path = user_cache_path("continuo")
    catalog: Path = DEFAULTS / "catalog.toml"
    tenants: Path = DEFAULTS / "tenants.toml"
    guardrails: Path = DEFAULTS / "guardrails.toml"
    rules: Path | None = None
    events: Path | None = None
    alerts: Path = DEFAULTS / "alerts.toml"
    patterns: Path = DEFAULTS / "patterns"
    knowledge: Path = DEFAULTS / "knowledge"
    evals: Path = Path("evals")
    ui_url: str = Field(default="http://127.0.0.1:8233", pattern=r"^https?://\S+$")
    simulated: bool = False
    sandbox: bool = False
    build: str = ""
    heartbeat: float = Field(default=0.5, ge=0.1, le=2)
    key_refresh: Annotated[float, Field(ge=1, le=DAY), BeforeValidator(seconds)] = 300
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    critical_slots: int = Field(default=50, ge=1, le=MAX_SLOTS)
    standard_slots: int = Field(default=30, ge=1, le=MAX_SLOTS)
    batch_slots: int = Field(default=20, ge=1, le=MAX_SLOTS)
    journal_retention: Retention = 30 * DAY
    ledger_retention: Retention | None = None
    payload_retention: Retention = 30 * DAY
    letter_retention: Retention = 30 * DAY
    run_retention: Retention = 30 * DAY
    response_retention: Retention = 30 * DAY
    conversation_retention: Retention | None = None
    stream_retention: Retention = DAY
    event_retention: Retention = 7 * DAY
    media_hosts: str = ""
    webhook_private: bool = False
    webhook_pause: float = Field(default=5, ge=0.1, le=3600)
    # Not checked here: an error would show it, which may hold a password; `continuo doctor` tries it.
    gateway_url: str | None = None
    metrics_address: str = Field(default="", pattern=r"^(\S+:\d{1,5})?$")
    trace_content: bool = False
    oidc_issuer: str = Field(default="", pattern=r"^(https://\S+|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?)?$")
    oidc_audience: str = ""
    oidc_tenant_claim: str = Field(default="tenant", min_length=1)
    code: Annotated[Code, NoDecode, BeforeValidator(separated)] = Code()

    def __init__(self, **values: Any) -> None:
        """Raises `InputError` naming the variable, or the file and the field, whose value is wrong."""
        try:
            with readable(".env"):
                super().__init__(_env_file=env_file(), **values)
        except ValidationError as error:
            first = error.errors()[0]
            field, message = str(first["loc"][0]), first["msg"].removeprefix("Value error, ")
            where = ".".join(map(str, first["loc"]))
            variable = f"CONTINUO_{field.upper()}"
            if field in values or variable in map(str.upper, os.environ) or variable in environment():
                raise InputError(f"{variable}={first['input']}: {message}") from None
            raise InputError(f"{project_file()}: {where}: {message}") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = (_placed(dotenv_settings(), env_file().parent), _project_settings(set(cls.model_fields)))
        return init_settings, env_settings, *(InitSettingsSource(settings_cls, values) for values in files)

    @field_validator(*PATHS, mode="before")
    @classmethod
    def _paths_are_named(cls, path: Path | str) -> Path | str:
        # An empty one would be the current folder.
        if path == "":
            raise ValueError("empty; name a path, or unset it")
        return path

    @field_validator("build")
    @classmethod
    def _build_is_a_tag(cls, build: str) -> str:
        if build and not _BUILD.fullmatch(build):
            raise ValueError("a build is 1 to 128 letters, digits, `.`, `_` and `-`, the first a letter or a digit")
        return build

    def slots(self, priority: "Priority") -> int:
        """How many calls a pool of `priority` makes at once."""
        return {"critical": self.critical_slots, "standard": self.standard_slots, "batch": self.batch_slots}[priority]


def _project_settings(known: set[str]) -> dict[str, Any]:
    """What the project's file says of the settings that are `known`. Raises `InputError` naming the file."""
    file = project_file()
    if file is None:
        return {}
    values = read_toml(file, "settings")
    for name in values.keys() - known:
        raise InputError(f"{file}: {unknown('setting', name, known)}")
    return _placed(values, file.parent)


def _placed(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The values, their paths relative to `folder`."""
    return {
        name: folder / value if name in PATHS and isinstance(value, str) and value else value
        for name, value in values.items()
    }


def environment() -> Environment:
    """This process's, with the `.env` that holds here as it is now. Raises `InputError` for a file that cannot be
    read."""
    environ = _environment(env_file())
    environ.look()
    return environ


@cache
def _environment(file: Path) -> Environment:
    # One for all who look, so that no command runs for each of them.
    return Environment(os.environ, file)


def unavailable(provider: Provider, environ: Mapping[str, str], *, simulated: bool) -> str | None:
    """Why `provider` cannot be used here, as the thing to do about it, or None when it can. May take 0.6 s."""
    if (missing := not_set(provider, environ, simulated=simulated)) is not None:
        return missing
    if provider.probe and (url := provider.url(environ)):
        if not _accepts_connections(url):
            return f"start the server at {url}"
        if (ready := protocol(provider.protocol).ready) and not _answers(url + ready):
            return f"wait until the server at {url} is ready"
    return None


def not_set(provider: Provider, environ: Mapping[str, str], *, simulated: bool) -> str | None:
    """The same as far as the environment says; nothing is connected to."""
    if provider.key_env and not environ.get(provider.key_env):
        return f"set {provider.key_env} in the environment"
    if protocol(provider.protocol).in_process:
        return None
    if simulated and not provider.simulated:
        return "unset CONTINUO_SIMULATED"
    if provider.url(environ) is None:
        return f"set {provider.base_url_env} in the environment"
    return None


def _answers(url: str) -> bool:
    """Whether a GET of it is answered with 200."""
    # Not above: it is needed only where such a server is.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=0.2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _accepts_connections(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=0.2):
            return True
    except OSError:
        return False
