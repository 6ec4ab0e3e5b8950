"""A step whose answer is checked before anybody has it."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from continuo.data import WHEN_SET, Data, Int
from continuo.patterns.agent import JsonSchema
from continuo.patterns.base import Spec, otherwise
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step

MOST_WORDS = 10_000
"""Of a list of what is blocked. They are part of the job."""

Kind = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]
"""Of personal data, as the recognisers call it."""

HostName = Annotated[
    str, Field(max_length=253, pattern=r"^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
]
"""In small letters, without scheme, port and path; `*.example.org` is every name below example.org."""

Blocked = Annotated[str, Field(max_length=200, pattern=r"\w")]
"""A word, or a few that follow each other."""

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
"""As ISO 639 calls it, such as en or de."""

LOCATING = ("secrets", "personal", "system_prompt", "blocked", "blocked_file", "links")
"""The checks that say where in an answer the mistake is, so that it can be blotted out."""

STREAMABLE = tuple(name for name in LOCATING if name != "system_prompt")
"""Those of them that need not see the end of an answer."""

BY_MODEL = ("PERSON", "LOCATION", "ADDRESS")
"""Personal data for which a model reads whole sentences."""


class Characters(Data):
    """How many characters an answer may have."""

    min: Int = Field(default=0, ge=0, le=16_000_000)
    max: Int | None = Field(default=None, ge=1, le=16_000_000)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.max is not None and self.min > self.max:
            raise ValueError(f"min is above max, {self.max:,}; lower it")
        return self


class Checks(Data):
    """What an answer must pass; what is left out is not checked.

    - `secrets`: it holds none that was not in the request.
    - `personal`: it holds no personal data of these kinds, such as EMAIL, that was not in the request.
    - `system_prompt`: it repeats no long part of the instructions of the request or of a step below.
    - `blocked`, and the lines of `blocked_file`: it holds none of these words, whatever their case.
    - `links`: it names addresses of these hosts alone; with [] of none.
    - `json_schema`: it is JSON that fits.
    - `matches`: this regular expression matches somewhere in it, in linear time: without groups that are referred to.
    - `language`: it is written in one of these, as far as can be told: needs the extra continuo[language].
    - `length`: it has so many characters.

    An answer that only calls tools has no text to which the last four could apply.
    """

    secrets: bool = False
    personal: Annotated[tuple[Kind, ...], WHEN_SET] = Field(default=(), max_length=100)
    system_prompt: bool = False
    blocked: Annotated[tuple[Blocked, ...], WHEN_SET] = Field(default=(), max_length=MOST_WORDS)
    blocked_file: Annotated[str | None, WHEN_SET] = None
    links: tuple[HostName, ...] | None = Field(default=None, max_length=1000)
    json_schema: Annotated[JsonSchema | None, WHEN_SET] = None
    matches: Annotated[str | None, WHEN_SET] = Field(default=None, max_length=2000)
    language: Annotated[tuple[Language, ...], WHEN_SET] = Field(default=(), max_length=100)
    length: Annotated[Characters | None, WHEN_SET] = None

    @property
    def named(self) -> tuple[str, ...]:
        """Those that are to be made."""
        return tuple(
            name
            for name, value in vars(self).items()
            if value is not None and value is not False and (value != () or name == "links")
        )


class Hold(Data):
    """The checks that an answer passes while it streams, piece by piece.

    `known` are the digests of what was in the request; `regions` and `own` kinds are those of the guardrails. Where an
    answer is not to be redacted it ends at the first mistake: its run fails.
    """

    checks: Checks
    regions: tuple[str, ...]
    own: Annotated[dict[str, str], WHEN_SET] = {}
    known: tuple[str, ...] = ()
    redact: bool


class Guard(Spec):
    """Check what `step` answers, and let nobody have it before.

    Where a check fails the step is run anew, up to `retries` times, and its prompt says why the answer before could not
    be used, without that answer. Then `on_failure` says what becomes of the last one: *reject* is a failure of type
    `GuardFailed`, which says what failed and nothing of the answer; with *redact* what is wrong is blotted out, and
    with *otherwise* that step answers, unchecked. What passes all `checks` is shown to the `moderator`, whose verdict
    is one more; without a verdict it fails.

    An answer is streamed while it comes where nothing needs all of it: no retries, no *otherwise*, no moderator, and of
    the checks none but secrets, personal, blocked and links, and that not of names, places and addresses.
    """

    kind: Literal["guard"] = "guard"
    step: "Step"
    checks: Checks = Checks()
    moderator: Annotated["Step | None", WHEN_SET] = None
    retries: Int = Field(default=0, ge=0, le=3)
    on_failure: Literal["reject", "redact", "otherwise"] = "reject"
    otherwise: Annotated["Step | None", WHEN_SET] = None

    def __init__(self, step: "Step | None" = None, /, **fields: object) -> None:
        super().__init__(**(fields if step is None else {"step": step, **fields}))

    def nested(self) -> "Mapping[str, Step]":
        moderator = {"moderate": self.moderator} if self.moderator else {}
        return {"step": self.step, **moderator, **otherwise(self.otherwise)}

    @property
    def streamed(self) -> bool:
        """Whether its answer may be shown while it comes."""
        whole = set(self.checks.named).difference(STREAMABLE) or set(self.checks.personal).intersection(BY_MODEL)
        return not (whole or self.moderator or self.retries or self.otherwise)

    def answering(self) -> Iterable[str]:
        return ("step",) if self.streamed else ()

    def given(self) -> "Iterable[Step]":
        return (self.step, *otherwise(self.otherwise).values())

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        return request.as_text() if name == "moderate" else request

    def worst(self, estimator: Estimator) -> Estimate:
        each = estimator.all([self.step, *([self.moderator] if self.moderator else ())])
        return each.times(1 + self.retries) + estimator.all(otherwise(self.otherwise).values())

    def about(self, price: Callable[[str], str]) -> list[str]:
        retries = [f"{self.retries} retries"] if self.retries else []
        return [*self.checks.named, *retries, f"else {self.on_failure}"]

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if not self.checks.named and self.moderator is None:
            raise ValueError("checks are none; name at least one, or a moderator")
        if (self.on_failure == "otherwise") != (self.otherwise is not None):
            raise ValueError("on_failure 'otherwise' and the step `otherwise` go together; give both or none")
        if self.on_failure == "redact":
            whole = [name for name in self.checks.named if name not in LOCATING]
            if whole := [*whole, *(["moderator"] if self.moderator else ())]:
                what = f"on_failure is 'redact', and nothing of an answer can be blotted out to please {whole[0]!r}"
                raise ValueError(f"{what}; put that into a guard of its own around this one")
        return self
