"""How a route classifies, a fan-out merges, an ensemble combines and a cache compares."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from continuo.data import Data, Int, Number
from continuo.errors import unknown
from continuo.patterns.base import ModelName

if TYPE_CHECKING:
    from continuo.patterns import Step

_RESERVED = ("classify", "merge", "otherwise", "shadow")


def _not_reserved(name: str) -> str:
    if name in _RESERVED:
        raise ValueError(f"{name!r} names a part of the pattern itself; choose another name")
    return name


Name = Annotated[str, Field(pattern=r"^[\w -]{1,40}$"), AfterValidator(_not_reserved)]
"""What a branch or step is called: letters, digits, `_`, `-` and spaces, at most 40. It is part of paths and ids."""


def _written_short(value: object) -> object:
    """`by: complexity` is `by: {kind: complexity}`."""
    return {"kind": value} if isinstance(value, str) else value


class Complexity(Data):
    """Labels `low`, `medium`, `high`, by a score in 0..1 that `classify.complexity` computes; the numbers are its
    lower bounds, and `words` is how many make a prompt long."""

    kind: Literal["complexity"] = "complexity"
    words: Int = Field(default=50, ge=0, le=1_000_000)
    medium: Number = Field(default=0.3, ge=0, le=1)
    high: Number = Field(default=0.6, ge=0, le=1)


class Length(Data):
    """Labels `local`, `mini`, `premium`: prompts under `local` characters, under `mini` characters, and the rest."""

    kind: Literal["length"] = "length"
    local: Int = Field(default=100, ge=0, le=1_000_000)
    mini: Int = Field(default=500, ge=0, le=1_000_000)


class Keywords(Data):
    """The first label of which a word (or phrase) stands in the prompt, whole and in any case."""

    kind: Literal["keywords"] = "keywords"
    labels: dict[Name, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(min_length=1)


class Intent(Data):
    """Whatever label `step`, a model call as a rule, answers; it is told the names of the branches."""

    kind: Literal["intent"] = "intent"
    step: "Step"


class Preference(Data):
    """Labels `cost`, `speed`, `quality`: what the job's context prefers, `default` where it says nothing."""

    kind: Literal["preference"] = "preference"
    default: Literal["cost", "speed", "quality"] = "cost"


class BudgetUse(Data):
    """Labels `premium`, `mid`, `free`: while the used share of the tenant's budget is under `premium`, under `mid`, and
    after that. Used is what is spent of the day's money and reserved for calls under way; without a budget, nothing."""

    kind: Literal["budget"] = "budget"
    premium: Number = Field(default=0.5, ge=0, le=1)
    mid: Number = Field(default=0.8, ge=0, le=1)


WORDS = (
    "what", "who", "which", "when", "where", "why", "how", "not", "except", "all", "most", "true", "if", "because",
    "explain", "compare", "following", "each", "best", "name",
)  # fmt: skip
"""Words of which a learned router sees whether they stand in a prompt."""

FEATURES = (
    "one", "characters", "words", "digits", "digit_share", "capital_share", "question_marks", "lines", "formula",
    "word_length", *(f"word_{word}" for word in WORDS),
)  # fmt: skip
"""What a learned router sees of a prompt."""


class Learned(Data):
    """The branch whose model is most likely right, as `continuo tune` has learned it: by the `weights` of what it sees
    of the prompt (a logistic regression for each branch), less the branch's handicap in 0..1 for what it costs."""

    kind: Literal["learned"] = "learned"
    weights: dict[Name, dict[str, Annotated[Number, Field(ge=-1e6, le=1e6)]]] = Field(min_length=1)
    handicaps: dict[Name, Annotated[Number, Field(ge=0, le=1)]] = {}

    @model_validator(mode="after")
    def _all_is_known(self) -> Self:
        for name in {name for each in self.weights.values() for name in each} - {*FEATURES}:
            raise unknown("feature", name, FEATURES)
        for name in self.handicaps.keys() - self.weights.keys():
            raise unknown("branch of handicaps", name, self.weights)
        return self


_LABELS: Mapping[type[Data], tuple[str, ...]] = {
    Complexity: ("low", "medium", "high"),
    Length: ("local", "mini", "premium"),
    Preference: ("cost", "speed", "quality"),
    BudgetUse: ("premium", "mid", "free"),
}


Classifier = Annotated[
    Annotated[Complexity | Length | Keywords | Intent | Preference | BudgetUse | Learned, Field(discriminator="kind")],
    BeforeValidator(
        _written_short,
        json_schema_input_type=Complexity
        | Length
        | Keywords
        | Intent
        | Preference
        | BudgetUse
        | Learned
        | Literal["complexity", "length", "preference", "budget"],
    ),
]


def labels(classifier: Classifier) -> tuple[str, ...] | None:
    """Every label that `classifier` can give, or None when the branches' own names are the labels."""
    if isinstance(classifier, Keywords):
        return tuple(classifier.labels)
    if isinstance(classifier, Learned):
        return tuple(classifier.weights)
    return _LABELS.get(type(classifier))


class Collect(Data):
    """A JSON object of each branch's answer, by the branch's name."""

    kind: Literal["collect"] = "collect"


class Concatenate(Data):
    """The branches' answers one after the other, with `separator` between them."""

    kind: Literal["concatenate"] = "concatenate"
    separator: str = "\n\n"


class Merge(Data):
    """What `step` makes of the answers. `prompt` may hold `{input}`, `{answers}` (all, under their names) and
    `{name}` of a branch."""

    kind: Literal["merge"] = "merge"
    step: "Step"
    prompt: str = Field(default="Question:\n{input}\n\nMerge these answers into one:\n\n{answers}", min_length=1)


Merging = Annotated[
    Annotated[Collect | Concatenate | Merge, Field(discriminator="kind")],
    BeforeValidator(
        _written_short, json_schema_input_type=Collect | Concatenate | Merge | Literal["collect", "concatenate"]
    ),
]


class UnanimousOrWeighted(Data):
    """All agree, or else the most confident answer wins."""

    kind: Literal["unanimous_or_weighted"] = "unanimous_or_weighted"
    field: str | None = None


class Majority(Data):
    """The answer that `quorum` members give (default: more than half of them); the rest are then cancelled."""

    kind: Literal["majority"] = "majority"
    quorum: Int | None = Field(default=None, ge=1, le=10_000)
    field: str | None = None


class WeightedVote(Data):
    """The answer with the greatest sum of weight times confidence. `weights` has one for each member; default 1."""

    kind: Literal["weighted_vote"] = "weighted_vote"
    weights: tuple[Annotated[Number, Field(gt=0, le=1e6)], ...] | None = None
    field: str | None = None


class Average(Data):
    """The mean of the members' numbers."""

    kind: Literal["average"] = "average"
    field: str | None = None


class Meta(Data):
    """What `step` picks or writes. `prompt` may hold `{input}` and `{answers}` (all, under their members' names)."""

    kind: Literal["meta"] = "meta"
    step: "Step"
    prompt: str = Field(default="Question:\n{input}\n\nWrite the best answer from these:\n\n{answers}", min_length=1)


Combine = UnanimousOrWeighted | Majority | WeightedVote | Average | Meta
"""How an ensemble comes to one answer. Where there is a `field`, the members answer JSON and that field of it is
what is compared; else the text is, without regard to case and white space."""


Combining = Annotated[
    Annotated[Combine, Field(discriminator="kind")],
    BeforeValidator(
        _written_short,
        json_schema_input_type=Combine | Literal["unanimous_or_weighted", "majority", "weighted_vote", "average"],
    ),
]


class Semantic(Data):
    """Find the answer to a question that means the same.

    `model` is an embedding model of the catalog; `threshold` is the least cosine similarity, in 0..1.
    """

    model: ModelName
    threshold: Number = Field(default=0.92, gt=0, le=1)


KEY_FIELDS = ("prompt", "messages", "system", "tools", "response_schema", "max_tokens", "temperature", "user", "data")


def _key_field(name: str) -> str:
    if name not in KEY_FIELDS and not re.fullmatch(r"data\.\w+", name):
        raise unknown("key field", name, (*KEY_FIELDS, "data.NAME"))
    return name


KeyField = Annotated[str, AfterValidator(_key_field)]
