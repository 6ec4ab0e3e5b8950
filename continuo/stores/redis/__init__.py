"""Redis, shared by hosts."""
