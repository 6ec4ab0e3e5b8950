"""The gateway beside LiteLLM's, each in front of the same simulated provider."""
