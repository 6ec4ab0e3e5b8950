"""Workflows: one file a pattern; each interprets its spec and nothing else."""
