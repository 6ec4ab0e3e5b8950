"""What one request to a provider has come to, for whoever must book it when no answer comes."""

from dataclasses import dataclass
from typing import Any

from continuo.messages import Usage


@dataclass
class Exchange:
    """Filled in while a request is under way, and right whatever ends it: an answer, an error or a cancellation.

    `billable` says that the provider may bill the request: it was sent, and no error status came back. `usage` is that
    of a stream that has ended, or was left: then what was shown of its answer, estimated, None where that is nothing.
    `cost_usd` is the part of the bill of a request that several share, None where the usage alone says what it is.
    """

    billable: bool = False
    usage: Usage | None = None
    cost_usd: float | None = None

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """Takes httpx's `trace` events. Before its body no request can be billed: there is nothing to answer yet."""
        if event == "http11.send_request_body.started":
            self.billable = True
