"""What holds for activities that run where their workflow does."""

from datetime import timedelta

LOCAL_RETRIES = timedelta(seconds=1)
"""A longer pause before the next attempt of a local activity is a timer, in which no task of the workflow is held."""
STORE_LIMIT = timedelta(seconds=60)
"""For a local activity that asks a store: longer than that itself waits for a lock."""
