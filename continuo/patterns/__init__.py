"""Every pattern as data: frozen specs, told apart by `kind`, that nest in each other.

In Python they compose: `a | b` asks both at once, `a >> b` feeds the one into the other, and
`(a | b | c) >> Majority(quorum=2)` lets three vote.
"""

from continuo.patterns.agent import Agent, AgentServer, AgentTool, Compaction
from continuo.patterns.auto import Auto, Limits
from continuo.patterns.base import PLACEHOLDER, Retry, Spec
from continuo.patterns.cached import Cached
from continuo.patterns.call import Call
from continuo.patterns.cascade import Cascade
from continuo.patterns.compress import Compress
from continuo.patterns.deadline import Deadline
from continuo.patterns.ensemble import Ensemble
from continuo.patterns.fallback import Fallback
from continuo.patterns.fan_out import FanOut
from continuo.patterns.guard import Characters, Checks, Guard
from continuo.patterns.http import Http
from continuo.patterns.mcp import Mcp
from continuo.patterns.named import Named
from continuo.patterns.orchestrate import Orchestrate
from continuo.patterns.pipeline import Pipeline, PipelineStep
from continuo.patterns.python import Python
from continuo.patterns.review import Review
from continuo.patterns.route import Route
from continuo.patterns.saga import Saga, SagaStep
from continuo.patterns.split import Adaptive, Split, Variant
from continuo.patterns.template import Template

# isort: split
# Last: it imports what others add, which use the names above.
from continuo.patterns.step import KINDS, Step

__all__ = [
    "KINDS",
    "PLACEHOLDER",
    "Adaptive",
    "Agent",
    "AgentServer",
    "AgentTool",
    "Auto",
    "Cached",
    "Call",
    "Cascade",
    "Characters",
    "Checks",
    "Compaction",
    "Compress",
    "Deadline",
    "Ensemble",
    "Fallback",
    "FanOut",
    "Guard",
    "Http",
    "Limits",
    "Mcp",
    "Named",
    "Orchestrate",
    "Pipeline",
    "PipelineStep",
    "Python",
    "Retry",
    "Review",
    "Route",
    "Saga",
    "SagaStep",
    "Spec",
    "Split",
    "Step",
    "Template",
    "Variant",
]
