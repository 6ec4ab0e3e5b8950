"""The domain of Continuo: what a pattern, a job, an outcome and a model are. Knows nothing of Temporal."""
