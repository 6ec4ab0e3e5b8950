"""Workflows: one file a pattern; each interprets its spec and nothing else.

All are imported here, so that whichever of them runs can run any other's step.
"""

from workflows.call import CallWorkflow
from workflows.fallback import FallbackWorkflow
from workflows.http import HttpWorkflow
from workflows.saga import SagaWorkflow
from workflows.template import TemplateWorkflow

WORKFLOWS = (CallWorkflow, FallbackWorkflow, HttpWorkflow, SagaWorkflow, TemplateWorkflow)
