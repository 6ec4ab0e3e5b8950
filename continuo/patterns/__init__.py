"""What may be composed: every pattern as data."""
