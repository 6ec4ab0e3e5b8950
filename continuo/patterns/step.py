"""Any step: the union of all patterns, told apart by `kind`. A new one has its file, and its line here."""

from typing import Annotated, get_args

from pydantic import Field

from continuo.data import Data
from continuo.patterns.around import Cached, Deadline
from continuo.patterns.base import Spec
from continuo.patterns.call import Call, Http, Template
from continuo.patterns.choices import Intent, Merge, Meta
from continuo.patterns.pipeline import Pipeline, PipelineStep
from continuo.patterns.python import Python
from continuo.patterns.route import Route
from continuo.patterns.saga import Saga, SagaStep
from continuo.patterns.split import Split, Variant
from continuo.patterns.tiers import Cascade, Fallback
from continuo.patterns.together import Ensemble, FanOut

Step = Annotated[
    Call
    | Template
    | Fallback
    | Cascade
    | Route
    | Pipeline
    | FanOut
    | Ensemble
    | Cached
    | Deadline
    | Split
    | Http
    | Python
    | Saga,
    Field(discriminator="kind"),
]

KINDS: tuple[type[Spec], ...] = get_args(get_args(Step)[0])

_PARTS: tuple[type[Data], ...] = (Intent, Merge, Meta, PipelineStep, SagaStep, Variant)
for spec in (*_PARTS, *KINDS):
    spec.model_rebuild(_types_namespace={"Step": Step})
