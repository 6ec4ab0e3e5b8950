"""How many tokens media are read as, where nobody has counted.

One careful rule for all providers, since what is reserved must be enough whoever answers. By what they publish, Gemini
has 258 tokens for a tile of 256 to 768 pixels a side and at least 1,120 for an image, OpenAI up to 2.46 for a patch of
32 by 32 pixels, Anthropic one for 750 pixels; Gemini hears 32 tokens a second, OpenAI 10; a page of a PDF file is read
as its text, up to 3,000 tokens, and as an image.
"""

from math import ceil

from continuo.parts import Audio, Image, Media

PIXELS = 200
"""Of an image, for each token."""

IMAGE = (1_500, 16_000)
"""Tokens of the smallest and of the largest image: providers scale larger ones down."""

SECOND = 32
PAGE = 6_000


def most_tokens(part: Media) -> int:
    """Tokens that no provider exceeds: a text file may be one for each byte."""
    if isinstance(part, Image):
        least, most = IMAGE
        return min(max(least, ceil(part.width * part.height / PIXELS)), most)
    if isinstance(part, Audio):
        return ceil(part.seconds * SECOND)
    return part.size if part.pages is None else part.pages * PAGE


def usual_tokens(part: Media) -> int:
    """The same, but a text file is one for every four bytes, as any text."""
    return ceil(part.size / 4) if part.kind == "file" and part.pages is None else most_tokens(part)
