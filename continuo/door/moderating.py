"""What the door would say of a text: what is in it that the guardrails look for, and whether it would be refused."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from continuo.authoring.library import Library
from continuo.door.private import Withholding
from continuo.guardrails.by_policy import recogniser
from continuo.jobs import Context

RULE, INJECTION = "rule", "injection"
"""The categories of what a rule refuses, and of what looks like an attack on a model."""


class Moderated(NamedTuple):
    """By everything that is looked for, whether the text has it; and whether a request with this text is refused.
    `scores`, from 0 to 1, are of categories that are more or less there."""

    categories: dict[str, bool]
    scores: dict[str, float]
    refused: bool


def moderated(library: Library, context: Context, texts: Sequence[str], pattern: str = "") -> list[Moderated]:
    """As for a request to the `pattern`; without one, what is said of some patterns alone does not count. No model is
    asked. It blocks, see `Library`."""
    policy, book = library.guardrails.of(context.tenant, pattern, context.key_id), library.rules
    recognise, withholding, results = recogniser(policy), Withholding(library), list[Moderated]()
    for text in texts:
        kinds = {finding.kind for finding in recognise(text)}
        categories = {kind.lower(): kind in kinds for kind in sorted(policy.wanted)}
        refused, scores = any(policy.action(kind) == "reject" for kind in kinds), dict[str, float]()
        if policy.injection != "off":
            from continuo.guardrails.injection import score

            scores[INJECTION] = min(1.0, score(text))
            categories[INJECTION] = scores[INJECTION] == 1
            refused = refused or (categories[INJECTION] and policy.injection == "reject")
        if book is not None:
            from continuo.decisions.rules import Question

            # Rules see what models see; what the guardrails reject nobody sees.
            seen = text if refused else withholding.private(context, pattern).text(text)
            rule = book.decided(Question(seen, {}, context.tenant, pattern, datetime.now(UTC)))
            categories[RULE] = rule is not None and rule.refuse is not None
            refused = refused or categories[RULE]
        results.append(Moderated(categories, scores, refused))
    return results
