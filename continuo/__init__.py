"""The domain of Continuo: what a pattern, a job, an outcome and a model are. Knows nothing of Temporal."""

__version__ = "0.1.0"
