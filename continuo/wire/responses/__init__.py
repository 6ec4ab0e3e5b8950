"""OpenAI's Responses: create, retrieve, input items, count of tokens; and conversations."""

from continuo.wire.responses.body import Body, CountBody, Item
from continuo.wire.responses.conversations import ConversationBody, ItemsBody, UpdateBody
from continuo.wire.responses.events import Events
from continuo.wire.responses.items import continued, input_items, page
from continuo.wire.responses.kept import broken, ended, read, replayed, written
from continuo.wire.responses.request import input_tokens, request, urls
from continuo.wire.responses.response import pending, response

__all__ = [
    "Body", "ConversationBody", "CountBody", "Events", "Item", "ItemsBody", "UpdateBody", "broken", "continued",
    "ended", "input_items", "input_tokens", "page", "pending", "read", "replayed", "request", "response",
    "urls", "written",
]  # fmt: skip
