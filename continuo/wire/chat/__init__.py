"""OpenAI's Chat Completions: create."""

from continuo.wire.chat.body import Body
from continuo.wire.chat.events import DONE, PING, Events
from continuo.wire.chat.request import request
from continuo.wire.chat.response import response

__all__ = ["DONE", "PING", "Body", "Events", "request", "response"]
