"""What is answered, sent elsewhere or refused by rules alone: `rules.toml`."""

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from continuo.config.tenants import Zone
from continuo.config.toml_file import checked, read_toml
from continuo.data import Data, Number
from continuo.jobs import Name, Priority, TenantName

MAX_TEXT = 10_000
"""Characters of an answer or a refusal."""

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"


def _between(value: object) -> object:
    match = re.fullmatch(f"(?P<begins>{_CLOCK})-(?P<ends>{_CLOCK})", value.strip()) if isinstance(value, str) else None
    if match is None or match["begins"] == match["ends"]:
        raise ValueError(f"{str(value)[:80]!r} are no hours; write when they begin and end, such as 18:00-08:00")
    return time.fromisoformat(match["begins"]), time.fromisoformat(match["ends"])


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("empty; write a text, or leave it out")
    return text


Words = Annotated[str, Field(max_length=500), AfterValidator(_written)]
Said = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_written)]


class Hours(Data):
    """From when until when on the clocks of `zone`, over midnight where the end is the earlier one, and on which
    `days`: those on which the hours begin. Without hours it is the whole day, without days it is each."""

    between: Annotated[tuple[time, time], BeforeValidator(_between, json_schema_input_type=str)] | None = None
    days: tuple[Day, ...] = ()
    zone: Zone = "UTC"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.between is None and not self.days:
            raise ValueError(
                'it says nothing; write `between`, such as "18:00-08:00", or `days`, such as ["sat", "sun"]'
            )
        return self

    def include(self, now: datetime) -> bool:
        """Whether it is such an hour `now`, which has a time zone."""
        here = now.astimezone(ZoneInfo(self.zone))
        began, clock = here.date(), here.time()
        if self.between is not None:
            begins, ends = self.between
            if begins < ends and not begins <= clock < ends:
                return False
            if begins > ends and ends <= clock < begins:
                return False
            if begins > ends and clock < ends:
                began -= timedelta(days=1)
        return not self.days or DAYS[began.weekday()] in self.days


Scalar = str | bool | int | Number


class Value(Data):
    """What a field of the data must be: one of these. `greater` is for numbers, and no text is one. With
    `present = false` the data must not have the field; one that is null is there."""

    equals: Scalar | None = None
    in_: tuple[Scalar, ...] | None = Field(default=None, alias="in", min_length=1)
    greater: Number | None = None
    present: bool | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("write one of `equals`, `in`, `greater` and `present`")
        return self


class When(Data):
    """What must be so for a rule to hold, all of it; nothing at all always is.

    `any_of` are words and phrases of which the text has one, whole, whatever its case and accents. `matches` is a
    regular expression that is searched in it. `like` are sentences, and one of the text's own must share their words at
    least to the `threshold`, in 0..1. `data` is by field. `patterns` are what is asked for, by the name that a caller
    uses, such as `model:mini`.
    """

    any_of: tuple[Words, ...] = ()
    matches: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    like: tuple[Words, ...] = ()
    threshold: Annotated[Number, Field(gt=0, le=1)] = 0.7
    data: dict[str, Value] = {}
    tenants: tuple[TenantName, ...] = ()
    patterns: tuple[Name, ...] = ()
    time: Hours | None = None

    @model_validator(mode="after")
    def _has_what_is_weighed(self) -> Self:
        if "threshold" in self.model_fields_set and not self.like:
            raise ValueError(
                "threshold: it is that of `like`, which is not there; write some sentences, or leave it out"
            )
        return self


class Rule(Data):
    """When it holds, `answer` is the answer, its `{placeholders}` filled with fields of the data (without one of them
    it does not hold) and `{input}` with the text; or `pattern` is what runs; or it is refused with the message
    `refuse`. `priority` is that of the run, whichever pattern it is."""

    name: Name
    when: When
    answer: Said | None = None
    pattern: Name | None = None
    refuse: Said | None = None
    priority: Priority | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        does = [name for name in ("answer", "pattern", "refuse") if getattr(self, name) is not None]
        if len(does) > 1:
            raise ValueError(f"{' and '.join(does)}: a rule does one of these; leave the others out")
        if self.priority is not None and does in (["answer"], ["refuse"]):
            raise ValueError(f"priority: what is decided by {does[0]!r} has no run; leave it out")
        if self.priority is None and not does:
            raise ValueError("it does nothing; write `answer`, `pattern`, `refuse` or `priority`")
        return self

    @property
    def action(self) -> str:
        """What it does, in a line."""
        if self.refuse is not None:
            return f"refuse: {_line(self.refuse)}"
        if self.answer is not None:
            return f"answer: {_line(self.answer)}"
        parts = [self.pattern and f"pattern {self.pattern}", self.priority and f"priority {self.priority}"]
        return ", ".join(part for part in parts if part)


class Rules(Data):
    """In their order: the first that holds decides."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _have_names_of_their_own(self) -> Self:
        names: set[str] = set()
        for rule in self.rules:
            if rule.name in names:
                raise ValueError(f"two rules are called {rule.name!r}; give each its own name")
            names.add(rule.name)
        return self


def load_rules(path: Path) -> Rules:
    """Read a file of rules. Raises `InputError` naming the file and the field."""
    return checked(Rules, read_toml(path, "rules"), path)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:60].rstrip()}…"
