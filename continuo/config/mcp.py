"""Servers of tools that speak MCP, as a catalog names them."""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from continuo.data import Data, Seconds

ServerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        # What was written is not repeated: it may be the secret itself.
        raise ValueError("not the name of an environment variable; write the name of the one that holds the value")
    return name


Variable = Annotated[str, AfterValidator(_variable)]


class McpServer(Data):
    """A server that is started, by `command` and `args` (stdio), or that answers at `url` (streamable HTTP).

    `env` gives a started server its variables and `headers` are sent to one at a URL: each value is the name of the
    variable that holds it here, so that no secret stands in a file. A started server gets no other variable of ours but
    PATH, HOME and the like. `tools` are those that may be used, by default all. `connect_timeout` is for its start and
    handshake. Its list of tools is asked for again after `listed_for`, or when it says that the list has changed.
    """

    command: str | None = Field(default=None, min_length=1)
    args: tuple[str, ...] = ()
    env: dict[Variable, Variable] = {}
    url: str | None = None
    headers: dict[str, Variable] = {}
    tools: tuple[str, ...] | None = None
    connect_timeout: Seconds = 30.0
    listed_for: Seconds = 300.0

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables of ours that it is given the values of."""
        return (*self.env.values(), *self.headers.values())

    def allows(self, tool: str) -> bool:
        return self.tools is None or tool in self.tools

    @model_validator(mode="after")
    def _is_reached_in_one_way(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("give it a command, or else a url, and not both")
        if self.command is not None and self.headers:
            raise ValueError("headers go to a url; give a command its env")
        if self.url is not None:
            if self.env or self.args:
                raise ValueError("env and args are a command's; give a url its headers")
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("url is no address; write one that begins with https:// or http://")
            for name in self.headers:
                if not re.fullmatch(r"[A-Za-z0-9-]+", name):
                    raise ValueError(f"headers: {name!r} is no header; write letters, digits and -")
        return self
