"""From an outcome to a completion."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from pydantic import JsonValue

from continuo.jobs import Outcome
from continuo.messages import Token, Usage
from continuo.wire.chat.response import frame, usage
from continuo.wire.completions.body import Body
from continuo.wire.completions.request import echoed
from continuo.wire.pieces import finish_reason, message_of


def response(
    outcome: Outcome,
    account: Mapping[str, JsonValue],
    body: Body,
    *,
    id: str,
    created: int,
    choices: Sequence[Outcome] = (),
) -> dict[str, Any]:
    """The completion; `id` begins with `cmpl-`, `created` is in seconds since 1970. Of several `choices` the outcome
    has the usage together."""
    return {
        **frame("text_completion", id, body.model, created),
        "choices": [
            {
                "index": index,
                "text": echoed(body, index) + message_of(one).text,
                "finish_reason": finish_reason(one),
                "logprobs": logprobs(one.logprobs),
            }
            for index, one in enumerate(choices or [outcome])
        ],
        "usage": usage(outcome.usage or Usage()),
        "continuo": dict(account),
    }


def logprobs(tokens: Sequence[Token]) -> dict[str, Any] | None:
    """Where each token begins is counted in characters of the text."""
    if not tokens:
        return None
    lengths = [len(token.text) for token in tokens]
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [dict(token.top) for token in tokens] if any(token.top for token in tokens) else None,
        "text_offset": list(accumulate(lengths[:-1], initial=0)),
    }
