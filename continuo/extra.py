"""What is passed through to a provider as it is: checked, bounded, and in the place of nothing that we send."""

import json
import re
from collections.abc import Mapping, Set
from typing import Self

from pydantic import JsonValue, model_validator

from continuo.data import Data

MAX_BYTES = 16_000
MAX_LEVELS = 20

BETAS = "betas"
"""Of Anthropic: names of features that are not in the API for all yet. They are sent as the header `anthropic-beta`."""

_BETA = re.compile(r"[A-Za-z0-9._-]{1,100}")

_KEYS = {"key", "apikey", "authorization"}
_OPENAI = _KEYS | {
    "model", "models", "fallbacks", "messages", "stream", "streamoptions", "tools", "toolchoice", "paralleltoolcalls",
    "functions", "functioncall", "responseformat", "maxtokens", "maxcompletiontokens", "temperature", "topp", "stop",
    "seed", "n", "bestof", "frequencypenalty", "presencepenalty", "logprobs", "toplogprobs", "reasoningeffort",
    "verbosity", "metadata", "user", "promptcachekey",
}  # fmt: skip
_ANTHROPIC = _KEYS | {
    "model", "fallbacks", "messages", "system", "stream", "tools", "toolchoice", "outputconfig", "maxtokens",
    "temperature", "topp", "stopsequences", "metadata", "cachecontrol",
}  # fmt: skip
_GOOGLE = _KEYS | {"model", "contents", "systeminstruction", "tools", "toolconfig", "generationconfig"}
_GENERATION_CONFIG = {
    "responsemimetype", "responseschema", "responsejsonschema", "maxoutputtokens", "temperature", "topp",
    "stopsequences", "seed", "candidatecount", "frequencypenalty", "presencepenalty", "responselogprobs", "logprobs",
    "thinkingconfig",
}  # fmt: skip
"""What is reserved in `Extra`, in small letters: what is sent, and what would make another model or more answer."""


class Extra(Data):
    """Fields of a request's body that only one protocol has, by the protocol: others are never sent them.

    What Continuo sends itself cannot be among them. `generationConfig` of Gemini may hold what Continuo does not set
    there. At most 16 kB of JSON in all, and 20 lists and objects inside each other.
    """

    openai: dict[str, JsonValue] = {}
    anthropic: dict[str, JsonValue] = {}
    google: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def _adds_only(self) -> Self:
        _check(self.openai, _OPENAI, "openai")
        _check(self.anthropic, _ANTHROPIC, "anthropic")
        betas = self.anthropic.get(BETAS, [])
        if not isinstance(betas, list) or not all(isinstance(one, str) and _BETA.fullmatch(one) for one in betas):
            raise ValueError("anthropic.betas is no list of names; write letters, digits, dots, _ and -")
        config = self.google.get("generationConfig", {})
        if not isinstance(config, dict):
            raise ValueError("google.generationConfig is no object; write the fields that it is to have")
        _check({name: value for name, value in self.google.items() if name != "generationConfig"}, _GOOGLE, "google")
        _check(config, _GENERATION_CONFIG, "google.generationConfig")
        every = [self.openai, self.anthropic, self.google]
        if any(_levels(fields) > MAX_LEVELS for fields in every):
            raise ValueError(f"there are more than {MAX_LEVELS} lists and objects inside each other; flatten it")
        if (size := len(json.dumps(every, allow_nan=False).encode())) > MAX_BYTES:
            raise ValueError(f"it has {size:,} bytes as JSON, more than {MAX_BYTES:,}; shorten it")
        return self


def _check(fields: Mapping[str, JsonValue], reserved: Set[str], where: str) -> None:
    """Raise `ValueError` for a field that is sent anyway. Servers read `maxTokens` as `max_tokens`, or might."""
    for name in fields:
        if name.replace("_", "").lower() in reserved:
            raise ValueError(f"{where}.{name[:80]} is what Continuo sends itself; leave it out")


def _levels(value: JsonValue) -> int:
    """Lists and objects inside each other, of which no more than `MAX_LEVELS` are counted, and one."""
    level, inside = 0, [value]
    while (inside := [one for one in inside if isinstance(one, list | dict)]) and level <= MAX_LEVELS:
        level += 1
        inside = [one for each in inside for one in (each.values() if isinstance(each, dict) else each)]
    return level
