"""`continuo rules`: what is decided before any model, and on which texts."""

import json as jsonlib
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from continuo.authoring.library import Library
from continuo.authoring.prepare import validated
from continuo.config.rules import Rule
from continuo.decisions.likeness import Nearest
from continuo.decisions.rule_checks import overlaps
from continuo.decisions.rules import Question, RuleBook, answer
from continuo.door.private import Withholding
from continuo.errors import InputError
from continuo.jobs import Context
from continuo.starters.commands.run import read_data
from continuo.starters.console.completion import Runnable
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import err, out

SHOWN = 60
"""Characters of what a condition saw."""

Flag = Annotated[bool, Parameter(negative=())]

rules = App(name="rules", help="List the rules that decide before any model, check them, and try them on a text.")


@rules.command(name="list")
@rules.default
def list_rules(*, json: Flag = False) -> int:
    """List the rules in their order: the first that holds decides.

    Parameters
    ----------
    json
        Print them as JSON, whole.
    """
    book = _book(Library())
    if json:
        shown = [rule.model_dump(mode="json", by_alias=True, exclude_defaults=True) for rule in book.rules]
        out.out(jsonlib.dumps(shown, indent=2, ensure_ascii=False))
        return 0
    table = FittedTable(Column("rule"), Column("when", rank=1), Column("what it does"), empty="there are no rules")
    for rule in book.rules:
        table.add_row(rule.name, _when(rule), rule.action)
    out.print(table)
    return 0


@rules.command(name="check")
def check_rules() -> int:
    """Check the rules: exit code 2 when one is wrong or never decides; warn of those that take texts from others."""
    book = _book(Library())
    warnings = overlaps(book)
    for warning in warnings:
        err.print(f"warning: {warning}")
    out.print(f"{len(book.rules)} rules are right, with {len(warnings)} warnings")
    return 0


@rules.command(name="test")
def try_rules(
    text: str,
    *,
    data: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    tenant: str = "default",
    pattern: Runnable = "",
    at: str | None = None,
    json: Flag = False,
) -> int:
    """Tell which rule decides on a text and why, and what it does; nothing is run or kept.

    Parameters
    ----------
    text
        What a user says.
    data
        The JSON object in this file goes with it; - is standard input.
    tenant
        Who asks.
    pattern
        What is asked for, by the name that a caller uses.
    at
        When it is question, such as 2026-11-27T09:30+01:00, in UTC without a zone; by default now.
    json
        Print all of it as JSON.
    """
    library = Library()
    book, context = _book(library), validated(Context, tenant=tenant)
    # Rules see what models see.
    private = Withholding(library).private(context, pattern)
    given = private.value(read_data(data)) if data else {}
    question = Question(private.text(text), given, tenant, pattern, _time(at))
    decided = book.decided(question)
    seen = [(rule, book.conditions(rule, question)) for rule in book.rules]
    said = decided and (decided.refuse or (answer(decided, question) if decided.answer else None))
    if said and private.policy.restore:
        said = private.restored(said)
    if json:
        every = [
            {"name": rule.name, "conditions": [{**one._asdict(), "seen": _shown(one.seen)} for one in conditions]}
            for rule, conditions in seen
        ]
        shown = {"rule": decided and decided.name, "action": decided and decided.action, "text": said, "rules": every}
        out.out(jsonlib.dumps(shown, indent=2, ensure_ascii=False))
        return 0
    table = FittedTable(Column("rule"), Column("holds"), Column("why"))
    for rule, conditions in seen:
        holds = all(condition.holds for condition in conditions)
        status = "decides" if rule is decided else "yes, too late" if holds else "no"
        why = "; ".join(f"{'' if one.holds else 'not '}{one.field}: {_shown(one.seen)}" for one in conditions)
        table.add_row(rule.name, Text(status, "green" if rule is decided else ""), why or "always")
    err.print(table)
    out.print(f"{decided.name}: {decided.action}" if decided else "no rule decides: it is run as it is asked")
    if said:
        out.out(said)
    return 0


def _book(library: Library) -> RuleBook:
    """Raises `InputError` where there are none, or one is wrong."""
    if (book := library.rules) is None:
        raise InputError("there are no rules; set CONTINUO_RULES, or rules in continuo.toml, to a file of them")
    return book


def _when(rule: Rule) -> str:
    conditions = rule.when.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return "; ".join(f"{name}: {jsonlib.dumps(value, ensure_ascii=False)}" for name, value in conditions.items())


def _shown(seen: object) -> str:
    match seen:
        case None:
            return "nothing"
        case datetime():
            return f"{seen:%Y-%m-%d %H:%M %Z}"
        case Nearest():
            return f"{seen.likeness:.2f}" + (f" of {seen.example!r}" if seen.example else "")
    text = seen if isinstance(seen, str) else jsonlib.dumps(seen, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--at {text[:80]}: no time; write one such as 2026-11-27T09:30+01:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
