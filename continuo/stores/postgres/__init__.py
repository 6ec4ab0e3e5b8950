"""PostgreSQL, shared by hosts."""
