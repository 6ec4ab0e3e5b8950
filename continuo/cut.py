"""Texts in one line."""


def cut(text: str, length: int) -> str:
    """`text` in one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
