"""What looks like an attack on a model in what is asked."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from continuo.config.guardrails import Policy
from continuo.decided import Decision
from continuo.errors import RefusedByGuardrails
from continuo.messages import Message


def attacks(policy: Policy, messages: Sequence[Message], data: Mapping[str, JsonValue] | None = None) -> Decision:
    """What was decided on what is asked. Raises `RefusedByGuardrails` where the policy rejects it."""
    if policy.injection == "off":
        return Decision(stage="injection", action="passed")
    # Loaded where something is asked, as the recognisers are.
    from continuo.guardrails.injection import attack

    kinds = Counter(finding.kind for text in texts_of(messages, data) for finding in attack(text))
    if kinds and policy.injection == "reject":
        what = ", ".join(sorted(kinds))
        message = f"it looks like an attack on a model ({what}), which config/guardrails.toml refuses; rephrase it"
        raise RefusedByGuardrails(message, "injection", kinds)
    return Decision(stage="injection", action="flagged" if kinds else "passed", findings=dict(kinds))


def texts_of(messages: Sequence[Message], data: Mapping[str, JsonValue] | None) -> Iterator[str]:
    """What did not come from the operator or a model: the caller's words and data, and what tools have answered."""
    if data:
        yield json.dumps(data, ensure_ascii=False)
    for turn in messages:
        if turn.role in ("user", "tool"):
            yield turn.text
