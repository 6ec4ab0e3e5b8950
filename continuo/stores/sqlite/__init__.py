"""SQLite: a file of one machine."""
