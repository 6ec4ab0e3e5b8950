"""The claims of the patterns, reproduced or refuted: on simulated models, and on public tables of real answers."""
