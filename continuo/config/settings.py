"""What the environment says, read once. Every variable of our own begins with `CONTINUO_`."""

import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values
from platformdirs import user_cache_path, user_data_path
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from continuo.config.catalog import Provider
from continuo.data import seconds
from continuo.errors import InputError
from continuo.jobs import Priority

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_SLOTS = 10_000

T = TypeVar("T")

DAY = 86_400.0


Retention = Annotated[float, Field(ge=DAY, le=3650 * DAY), BeforeValidator(seconds)]
"""Seconds for which something is kept, from one day to ten years; a text such as `30d` too."""


class Settings(BaseSettings):
    """Defaults for every process.

    `data` holds the stores and the embedded server's database, `cache` what can be had again.
    `simulated` restricts aliases to simulated models, so that nothing is spent whatever keys are set.
    `heartbeat` is in seconds: a cancellation travels back on one, so it is how late a request is aborted.
    A retention says how long that is kept which nothing needs any more; `ledger_retention` None is for ever.
    `media_hosts` are the hosts, with commas between them, from whose addresses media are fetched; none by default.
    `sandbox` runs workflows in Temporal's sandbox, which catches what is not deterministic and costs time.
    """

    model_config = SettingsConfigDict(env_prefix="CONTINUO_", env_file=".env", extra="ignore")

    data: Path = user_data_path("continuo")
    cache: Path = user_cache_path("continuo")
    catalog: Path = ROOT / "config" / "catalog.toml"
    tenants: Path = ROOT / "config" / "tenants.toml"
    patterns: Path = ROOT / "patterns"
    knowledge: Path = ROOT / "examples" / "knowledge"
    ui_url: str = Field(default="http://127.0.0.1:8233", pattern=r"^https?://\S+$")
    simulated: bool = False
    sandbox: bool = False
    heartbeat: float = Field(default=0.5, ge=0.1, le=2)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    critical_slots: int = Field(default=50, ge=1, le=MAX_SLOTS)
    standard_slots: int = Field(default=30, ge=1, le=MAX_SLOTS)
    batch_slots: int = Field(default=20, ge=1, le=MAX_SLOTS)
    journal_retention: Retention = 30 * DAY
    ledger_retention: Retention | None = None
    payload_retention: Retention = 30 * DAY
    letter_retention: Retention = 30 * DAY
    run_retention: Retention = 30 * DAY
    media_hosts: str = ""

    def __init__(self, **values: Any) -> None:
        """Raises `InputError` naming the variable whose value is wrong."""
        try:
            _read(".env", lambda: super(Settings, self).__init__(**values))
        except ValidationError as error:
            first = error.errors()[0]
            message = first["msg"].removeprefix("Value error, ")
            raise InputError(f"CONTINUO_{str(first['loc'][0]).upper()}={first['input']}: {message}") from None

    @field_validator("data", "cache", "catalog", "tenants", "patterns", "knowledge", mode="before")
    @classmethod
    def _paths_are_named(cls, path: Path | str) -> Path | str:
        # An empty one would be the current folder.
        if path == "":
            raise ValueError("empty; name a path, or unset it")
        return path

    def slots(self, priority: Priority) -> int:
        """How many calls a pool of `priority` makes at once."""
        return {"critical": self.critical_slots, "standard": self.standard_slots, "batch": self.batch_slots}[priority]


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment over `.env`, with `X_KEY` read from the file `X_KEY_FILE` names, as operators mount secrets.

    Raises `InputError` naming a file that cannot be read.
    """
    files = {name: Path(file) for name, file in environ.items() if name.endswith("_KEY_FILE")}
    mounted = {
        name.removesuffix("_FILE"): _read(name, partial(file.read_text, encoding="utf-8")).strip()
        for name, file in files.items()
        if file.is_file()
    }
    written = {name: value for name, value in _read(".env", lambda: dotenv_values(".env")).items() if value is not None}
    return {**written, **mounted, **environ}


def _read(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}; correct the file") from None


def unavailable(provider: Provider, environ: Mapping[str, str], *, simulated: bool) -> str | None:
    """Why `provider` cannot be used here, as the thing to do about it, or None when it can."""
    if provider.key_env and not environ.get(provider.key_env):
        return f"set {provider.key_env} in the environment"
    if provider.protocol == "knowledge":
        return None
    if simulated and not provider.simulated:
        return "unset CONTINUO_SIMULATED"
    url = provider.url(environ)
    if url is None:
        return f"set {provider.base_url_env} in the environment"
    if provider.probe and not _accepts_connections(url):
        return f"start the server at {url}"
    return None


def _accepts_connections(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=0.2):
            return True
    except OSError:
        return False
