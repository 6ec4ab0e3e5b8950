"""OpenAI's Completions, the form before chats: one prompt in, the text that follows it out."""

from continuo.wire.completions.body import Body
from continuo.wire.completions.events import Events
from continuo.wire.completions.request import request
from continuo.wire.completions.response import response

__all__ = ["Body", "Events", "request", "response"]
