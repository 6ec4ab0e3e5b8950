"""Everything that launches or signals a workflow: a module per command."""
