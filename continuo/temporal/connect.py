"""The one way to a Temporal cluster, for workers and starters alike."""

import asyncio
import os
import time
from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

from continuo.config.settings import Settings, environment
from continuo.errors import InputError, NoServer
from continuo.protection.masking import API_KEY
from continuo.temporal.payloads import converter
from continuo.temporal.runtime import runtime
from continuo.temporal.search_attributes import ensure_search_attributes

PATIENCE = 10.0
"""Seconds for which a server that is starting is waited for."""


async def connect(interceptors: Sequence[Interceptor] = (), metrics: str | None = None) -> Client:
    """Connect as the SDK's own environment says: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS, API key, or a profile.

    The search attributes are registered on the way. `metrics` is where the SDK's core serves its own, see `runtime`.
    Raises `NoServer` when nothing answers there, and `InputError` when the namespace does not exist.
    """
    config = connection()
    config.setdefault("target_host", "localhost:7233")
    deadline, core = time.monotonic() + PATIENCE, runtime(metrics)
    while True:
        try:
            client = await Client.connect(
                **config,
                data_converter=converter(Settings()),
                interceptors=interceptors,
                runtime=core,
            )
            break
        except (RuntimeError, RPCError) as error:
            # A server that has just been started listens before it can do anything.
            if "not healthy yet" in str(error) and time.monotonic() < deadline:
                await asyncio.sleep(0.1)
                continue
            raise NoServer(
                f"no Temporal server at {config['target_host']}; start one with `continuo dev`, or set TEMPORAL_ADDRESS"
            ) from error
    try:
        await ensure_search_attributes(client)
    except RPCError as error:
        if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            raise
        where = f"no namespace {client.namespace!r} at {config['target_host']}"
        raise InputError(f"{where}; create it, or correct TEMPORAL_NAMESPACE") from error
    return client


def connection() -> ClientConnectConfig:
    """What the SDK's own environment, or a profile in its file, says. Raises `InputError` for what cannot be read."""
    # What is empty, as a compose file makes what is not set, would count: an empty key would turn TLS on.
    variables = {name: value for name, value in {**os.environ, **_api_key()}.items() if value}
    try:
        return ClientConfig.load_client_connect_config(override_env_vars=variables)
    except RuntimeError as error:
        raise InputError(f"Temporal's configuration: {error}; correct it, or the TEMPORAL_ variable") from error


def _api_key() -> dict[str, str]:
    """The SDK looks for it in the environment alone, and not in files and commands."""
    key = environment().get(API_KEY)
    return {API_KEY: key} if key else {}
