"""Registers our search attributes with the cluster, so that an operator has nothing to prepare."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from continuo.temporal.attributes import ALL


async def ensure_search_attributes(client: Client) -> None:
    """Add what is missing. Several pools may do this at once: what another has just added is fine."""
    service, namespace = client.operator_service, client.namespace
    known = await service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    missing = {
        key.name: IndexedValueType.ValueType(key.indexed_value_type)
        for key in ALL
        if key.name not in known.custom_attributes
    }
    if not missing:
        return
    try:
        await service.add_search_attributes(AddSearchAttributesRequest(namespace=namespace, search_attributes=missing))
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise
