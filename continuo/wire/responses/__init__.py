"""OpenAI's Responses: create, retrieve, input items, count of tokens."""

from continuo.wire.responses.body import Body, CountBody
from continuo.wire.responses.events import Events
from continuo.wire.responses.items import continued, input_items, page
from continuo.wire.responses.request import input_tokens, request, urls
from continuo.wire.responses.response import pending, response

__all__ = [
    "Body", "CountBody", "Events", "continued", "input_items", "input_tokens", "page", "pending", "request",
    "response", "urls",
]  # fmt: skip
