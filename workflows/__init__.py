"""Workflows: one file a pattern, each interpreting its spec and nothing else; and breaker, letter, prune and report.

All are imported here, so that whichever of them runs can run any other's step.
"""

from workflows.breaker import BreakerWorkflow
from workflows.cached import CachedWorkflow
from workflows.call import CallWorkflow
from workflows.cascade import CascadeWorkflow
from workflows.dead_letter import DeadLetterWorkflow
from workflows.deadline import DeadlineWorkflow
from workflows.ensemble import EnsembleWorkflow
from workflows.fallback import FallbackWorkflow
from workflows.fan_out import FanOutWorkflow
from workflows.http import HttpWorkflow
from workflows.pipeline import PipelineWorkflow
from workflows.prune import PruneWorkflow
from workflows.report import ReportWorkflow
from workflows.route import RouteWorkflow
from workflows.saga import SagaWorkflow
from workflows.split import SplitWorkflow
from workflows.template import TemplateWorkflow

WORKFLOWS = (
    BreakerWorkflow,
    CallWorkflow,
    CachedWorkflow,
    CascadeWorkflow,
    DeadLetterWorkflow,
    DeadlineWorkflow,
    EnsembleWorkflow,
    FallbackWorkflow,
    FanOutWorkflow,
    HttpWorkflow,
    PipelineWorkflow,
    PruneWorkflow,
    ReportWorkflow,
    RouteWorkflow,
    SagaWorkflow,
    SplitWorkflow,
    TemplateWorkflow,
)
