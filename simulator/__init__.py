"""The simulated provider: an HTTP server that speaks the protocols of the real ones."""
