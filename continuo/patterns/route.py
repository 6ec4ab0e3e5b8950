"""One of several branches, picked by a classifier."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from continuo.errors import unknown
from continuo.patterns.base import Spec
from continuo.patterns.choices import Classifier, Intent, Keywords, Name, labels
from continuo.patterns.worst import Estimate, Estimator

if TYPE_CHECKING:
    from continuo.messages import ModelRequest
    from continuo.patterns.step import Step


class Route(Spec):
    """Let a classifier pick one of the branches; `default` names the one for a label without a branch."""

    kind: Literal["route"] = "route"
    by: Classifier
    branches: "dict[Name, Step]" = Field(min_length=1)
    default: str | None = None

    def nested(self) -> "Mapping[str, Step]":
        return {**self._classifier(), **self.branches}

    def answering(self) -> Iterable[str]:
        return self.branches

    def given(self) -> "Iterable[Step]":
        return self.branches.values()

    def passed(self, name: str, request: "ModelRequest") -> "ModelRequest":
        return request.as_text() if name in self._classifier() else request

    def worst(self, estimator: Estimator) -> Estimate:
        return estimator.all(self._classifier().values()) + estimator.any(self.branches.values())

    def branch(self, label: str | None) -> str:
        """The branch for the classifier's label, None where it found none."""
        name = label if label in self.branches else self.default
        assert name is not None, "the spec has a default wherever a label may be missing"
        return name

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"by {self.by.kind}", *([f"default {self.default}"] if self.default else [])]

    def _classifier(self) -> "dict[str, Step]":
        return {"classify": self.by.step} if isinstance(self.by, Intent) else {}

    @model_validator(mode="after")
    def _every_label_leads_somewhere(self) -> Self:
        if self.default is not None and self.default not in self.branches:
            raise unknown("default branch", self.default, self.branches)
        known = labels(self.by)
        if known is not None:
            for name in self.branches:
                if name not in known and name != self.default:
                    raise unknown(f"label of the classifier {self.by.kind!r}:", name, known)
            for label in known:
                if label not in self.branches and self.default is None:
                    raise ValueError(f"the label {label!r} has no branch; add the branch, or name a default")
        if isinstance(self.by, Keywords | Intent) and self.default is None:
            raise ValueError(f"the classifier {self.by.kind!r} may find no label; name a default branch")
        return self
