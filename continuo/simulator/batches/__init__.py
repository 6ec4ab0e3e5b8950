"""The batches of the three protocols: taken at once, answered when they end."""
