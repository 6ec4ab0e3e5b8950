"""Every pattern as data: frozen specs, told apart by `kind`, that nest in each other.

In Python they compose: `a | b` asks both at once, `a >> b` feeds the one into the other, and
`(a | b | c) >> Majority(quorum=2)` lets three vote.
"""

from continuo.patterns.around import Cached, Deadline
from continuo.patterns.base import PLACEHOLDER, Retry, Spec
from continuo.patterns.call import Call, Http, Template
from continuo.patterns.pipeline import Pipeline, PipelineStep
from continuo.patterns.python import Python
from continuo.patterns.route import Route
from continuo.patterns.saga import Saga, SagaStep
from continuo.patterns.split import Split, Variant
from continuo.patterns.step import KINDS, Step
from continuo.patterns.tiers import Cascade, Fallback
from continuo.patterns.together import Ensemble, FanOut

__all__ = [
    "KINDS",
    "PLACEHOLDER",
    "Cached",
    "Call",
    "Cascade",
    "Deadline",
    "Ensemble",
    "Fallback",
    "FanOut",
    "Http",
    "Pipeline",
    "PipelineStep",
    "Python",
    "Retry",
    "Route",
    "Saga",
    "SagaStep",
    "Spec",
    "Split",
    "Step",
    "Template",
    "Variant",
]
