"""What is decided, as pure functions."""
