"""The list of the activities that no workflow has started."""

from collections.abc import AsyncIterator

from temporalio.client import ActivityExecution, Client
from temporalio.service import RPCError, RPCStatusCode


async def plain_calls(client: Client, query: str) -> AsyncIterator[ActivityExecution]:
    """Those that the query wants; none where the server has no such activities."""
    try:
        async for call in client.list_activities(query):
            yield call
    except RPCError as error:
        if error.status != RPCStatusCode.UNIMPLEMENTED:
            raise
