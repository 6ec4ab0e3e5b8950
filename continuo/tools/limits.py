"""What a server of tools may take of us."""

MAX_TOOLS = 500
MAX_PAGES = 50
MAX_DEFINITION = 64_000
"""Characters of what is said of one tool."""

MAX_RESULT = 1_000_000
"""Bytes of an answer's text: as many as a prompt, which it may become, may have."""
