"""OpenAI's Chat Completions: create, and those that are kept."""

from continuo.wire.chat.body import Body
from continuo.wire.chat.events import DONE, PING, Events
from continuo.wire.chat.kept import UpdateBody, messages, shown, written
from continuo.wire.chat.request import request
from continuo.wire.chat.response import response

__all__ = [
    "DONE", "PING", "Body", "Events", "UpdateBody", "messages", "request", "response", "shown", "written",
]  # fmt: skip
