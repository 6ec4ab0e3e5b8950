"""A module per command of `continuo`."""
