"""What is looked for in a text, as a policy says."""

from collections.abc import Iterable

from continuo.config.guardrails import Policy
from continuo.guardrails.findings import Finding, Recogniser
from continuo.guardrails.recognisers.registered import recognised
from continuo.regex import compiled


def recogniser(policy: Policy) -> Recogniser:
    """Finds the kinds that the policy does anything about."""
    wanted = policy.wanted
    own = {kind: compiled(pattern) for kind, pattern in policy.own.items() if kind in wanted}

    def findings(text: str) -> Iterable[Finding]:
        return recognised(text, wanted, policy.regions, own)

    return findings
