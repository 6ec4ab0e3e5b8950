"""What recognises the secrets and the personal data that an answer is checked for."""

from collections.abc import Collection, Mapping

from continuo.config.guardrails import Policy
from continuo.guardrails.by_policy import recogniser
from continuo.guardrails.findings import Recogniser
from continuo.patterns import Checks

SECRET = "SECRET"


def sensitive(checks: Checks, regions: Collection[str], own: Mapping[str, str]) -> dict[str, Recogniser]:
    """A recogniser for each of the checks that looks for such, by the check's name. The `regions` and `own` kinds are
    those of a policy."""
    wanted = {"secrets": [SECRET] if checks.secrets else [], "personal": [*checks.personal]}
    return {check: _of(kinds, regions, own) for check, kinds in wanted.items() if kinds}


def _of(kinds: Collection[str], regions: Collection[str], own: Mapping[str, str]) -> Recogniser:
    policy = Policy(
        personal="off",
        kinds={kind: "flag" for kind in kinds if kind != SECRET},
        secrets="flag" if SECRET in kinds else "off",
        regions=tuple(regions),
        own={name: expression for name, expression in own.items() if name in kinds},
    )
    recognise = recogniser(policy)
    return lambda text: [finding for finding in recognise(text) if finding.kind in kinds]
