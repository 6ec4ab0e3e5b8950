"""The checks that say where in an answer the mistake is, each as a recogniser."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from continuo.guardrails.checks.blocked import blocked_words
from continuo.guardrails.checks.escapes import as_read
from continuo.guardrails.checks.known import Unknown
from continuo.guardrails.checks.links import ForeignLinks
from continuo.guardrails.checks.system_prompt import Repeated
from continuo.guardrails.findings import Finding, Recogniser
from continuo.patterns import Checks


def locating(
    checks: Checks,
    sensitive: Mapping[str, Recogniser],
    known: Collection[str],
    *,
    instructions: Iterable[str] = (),
    request: Iterable[str] = (),
) -> dict[str, Recogniser]:
    """The recogniser of each check, by its name, those of what is `sensitive` among them. What is `known`, as digests,
    was in the request and is no leak; the `instructions` are not to be repeated but for what the `request` says too."""
    by_check: dict[str, Recogniser] = {name: Unknown(one, known) for name, one in sensitive.items()}
    if checks.system_prompt:
        by_check["system_prompt"] = Repeated(instructions, request)
    if checks.blocked:
        by_check["blocked"] = blocked_words(checks.blocked)
    if checks.links is not None:
        by_check["links"] = ForeignLinks(checks.links)
    return by_check


def together(recognisers: Mapping[str, Recogniser]) -> Recogniser:
    """All of them as one, for texts that may be JSON; its findings are of the kind "check:KIND"."""

    def recognise(text: str) -> Iterator[Finding]:
        for check, recogniser in recognisers.items():
            for kind, start, end in recogniser(text):
                yield Finding(f"{check}:{kind}", start, end)

    return as_read(recognise)
