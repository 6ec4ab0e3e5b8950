"""Workflows: one file a pattern, each interpreting its spec and nothing else; and breaker, letter, prune and report.

All are imported here, by being there, so that whichever of them runs can run any other's step.
"""

from importlib import import_module

from continuo.extensions import modules

for name in modules("workflows"):
    import_module(name)
