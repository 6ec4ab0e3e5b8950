"""Evaluations as the command runs them: golden items, batches of them, results and reports."""
