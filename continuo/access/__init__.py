"""Who may come in, and how much may be asked for with a key."""
