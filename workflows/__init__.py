"""Workflows: one file a pattern; each interprets its spec and nothing else.

All are imported here, so that whichever of them runs can run any other's step.
"""

from workflows.call import CallWorkflow
from workflows.deadline import DeadlineWorkflow
from workflows.fallback import FallbackWorkflow
from workflows.fan_out import FanOutWorkflow
from workflows.http import HttpWorkflow
from workflows.pipeline import PipelineWorkflow
from workflows.saga import SagaWorkflow
from workflows.split import SplitWorkflow
from workflows.template import TemplateWorkflow

WORKFLOWS = (
    CallWorkflow,
    DeadlineWorkflow,
    FallbackWorkflow,
    FanOutWorkflow,
    HttpWorkflow,
    PipelineWorkflow,
    SagaWorkflow,
    SplitWorkflow,
    TemplateWorkflow,
)
