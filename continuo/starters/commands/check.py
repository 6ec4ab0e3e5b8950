"""`continuo check`: what the stages of the door would make of a text."""

import json as jsonlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from cyclopts import Parameter

from continuo.authoring.library import Library
from continuo.authoring.prepare import check_text, validated
from continuo.jobs import Context, KeyTerms
from continuo.starters.console.completion import Runnable
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import err, out


class Stage(NamedTuple):
    """What a stage does about something in the text; `refused` where nothing would run."""

    stage: str
    action: str
    what: str
    refused: bool = False


async def check(
    text: str,
    *,
    tenant: Annotated[str, Parameter(name="--as")] = "default",
    pattern: Runnable = "",
    key: str | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Tell what each stage of the door would do with a text: exit code 1 when it would be refused.

    Parameters
    ----------
    text
        What a user says.
    tenant
        Who asks.
    pattern
        What is asked for, by the name that a caller uses.
    key
        The id of the API key that it would come with, see `continuo keys list`.
    json
        Print all of it as JSON.
    """
    check_text("text", text)
    library, context = Library(), validated(Context, tenant=tenant)
    context = context if key is None else context.model_copy(update={"key": validated(KeyTerms, id=key)})
    stages = [*_private(library, context, pattern, text)]
    seen = None
    if not any(stage.refused for stage in stages):
        from continuo.door.private import Withholding

        seen = Withholding(library).private(context, pattern).text(text)
        stages += _injection(library, context, pattern, seen)
        stages += _rules(library, context, pattern, seen)
    refused = any(stage.refused for stage in stages)
    if json:
        shown = {"refused": refused, "text": seen, "stages": [stage._asdict() for stage in stages]}
        out.out(jsonlib.dumps(shown, indent=2, ensure_ascii=False))
        return int(refused)
    table = FittedTable(Column("stage"), Column("action"), Column("what"), empty="nothing is there to be looked at")
    for stage in stages:
        table.add_row(stage.stage, stage.action, stage.what)
    err.print(table)
    out.out("it would be refused" if seen is None else seen)
    return int(refused)


def _private(library: Library, context: Context, pattern: str, text: str) -> Iterator[Stage]:
    from continuo.guardrails.by_policy import recogniser

    policy = library.guardrails.of(context.tenant, pattern, context.key_id)
    kinds = Counter(finding.kind for finding in recogniser(policy)(text))
    for kind, count in kinds.items():
        action = policy.action(kind)
        yield Stage("private", action, f"{kind} ({count})", refused=action == "reject")


def _injection(library: Library, context: Context, pattern: str, text: str) -> Iterator[Stage]:
    from continuo.guardrails.injection import attack

    action = library.guardrails.of(context.tenant, pattern, context.key_id).injection
    if action != "off" and (kinds := sorted({finding.kind for finding in attack(text)})):
        yield Stage("injection", action, ", ".join(kinds), refused=action == "reject")


def _rules(library: Library, context: Context, pattern: str, text: str) -> Iterator[Stage]:
    if (book := library.rules) is None:
        return
    from continuo.decisions.rules import Question

    rule = book.decided(Question(text, {}, context.tenant, pattern, datetime.now(UTC)))
    if rule is not None:
        yield Stage("rules", rule.action, rule.name, refused=rule.refuse is not None)
