"""Anthropic's Messages: create, count tokens, models."""

from continuo.wire.anthropic.body import VERSIONS, Body, CountBody
from continuo.wire.anthropic.errors import error
from continuo.wire.anthropic.events import PING, Events
from continuo.wire.anthropic.models import model, models
from continuo.wire.anthropic.request import input_tokens, request, urls
from continuo.wire.anthropic.response import response

__all__ = [
    "PING", "VERSIONS", "Body", "CountBody", "Events", "error", "input_tokens", "model", "models", "request",
    "response", "urls",
]  # fmt: skip
