"""The one way to a Temporal cluster, for workers and starters alike."""

from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from continuo.errors import InputError
from continuo.settings import Settings
from workers.payloads import converter
from workers.search_attributes import ensure_search_attributes


async def connect(interceptors: Sequence[Interceptor] = ()) -> Client:
    """Connect as the SDK's own environment says: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS, API key, or a profile.

    The search attributes are registered on the way. Raises `InputError` when nothing answers there.
    """
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    try:
        client = await Client.connect(
            **config, data_converter=converter(Settings(), store=False), interceptors=interceptors
        )
    except (RuntimeError, RPCError) as error:
        raise InputError(
            f"no Temporal server at {config['target_host']}; start one with `continuo dev`, or set TEMPORAL_ADDRESS"
        ) from error
    await ensure_search_attributes(client)
    return client
