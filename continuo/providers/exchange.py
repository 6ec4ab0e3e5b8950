"""What one request to a provider has come to, for whoever must book it when no answer comes."""

from dataclasses import dataclass
from typing import Any


@dataclass
class Exchange:
    """Filled in while a request is under way, and right whatever ends it: an answer, an error or a cancellation.

    `billable` says that the provider may bill the request: it was sent, and no error status came back.
    """

    billable: bool = False

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """Takes httpx's `trace` events. Before its body no request can be billed: there is nothing to answer yet."""
        if event == "http11.send_request_body.started":
            self.billable = True
