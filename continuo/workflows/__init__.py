"""Workflows: one file a pattern, each interpreting its spec and nothing else; and breaker, letter, prune and report.

All are imported here, so that whichever of them runs can run any other's step.
"""

from continuo.workflows.breaker import BreakerWorkflow
from continuo.workflows.cached import CachedWorkflow
from continuo.workflows.call import CallWorkflow
from continuo.workflows.cascade import CascadeWorkflow
from continuo.workflows.dead_letter import DeadLetterWorkflow
from continuo.workflows.deadline import DeadlineWorkflow
from continuo.workflows.ensemble import EnsembleWorkflow
from continuo.workflows.fallback import FallbackWorkflow
from continuo.workflows.fan_out import FanOutWorkflow
from continuo.workflows.http import HttpWorkflow
from continuo.workflows.pipeline import PipelineWorkflow
from continuo.workflows.prune import PruneWorkflow
from continuo.workflows.python import PythonWorkflow
from continuo.workflows.report import ReportWorkflow
from continuo.workflows.route import RouteWorkflow
from continuo.workflows.saga import SagaWorkflow
from continuo.workflows.split import SplitWorkflow
from continuo.workflows.template import TemplateWorkflow

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
    PythonWorkflow,
    ReportWorkflow,
    RouteWorkflow,
    SagaWorkflow,
    SplitWorkflow,
    TemplateWorkflow,
)
