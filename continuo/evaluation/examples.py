"""What a golden set says of one of its examples, and what a score says of one answer to it."""

from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from continuo.data import Data, Number


class Example(Data):
    """One example of a golden set, beside its input: `prompt` is the input's text, as far as it is text.

    `expected` is what a right answer says, a text or a value of JSON; with several right ones `any_of` holds all of
    them. `rubric` is what a judge looks at. `tags` are what a report groups by.
    """

    id: str
    prompt: str = ""
    expected: JsonValue = None
    any_of: tuple[JsonValue, ...] = ()
    rubric: str | None = None
    tags: tuple[str, ...] = ()


LONGEST = 300
"""Characters of why a score is what it is."""


def encodable(text: str) -> str:
    """The text, in which half a surrogate pair, of which there is no UTF-8, becomes a question mark."""
    return text.encode(errors="replace").decode()


def one_line(text: str) -> str:
    """Its beginning in one line."""
    return " ".join(encodable(text[:LONGEST]).split())


class Score(Data):
    """How well an answer does, from 0 to 1, and why in a line where that is not plain."""

    value: Annotated[Number, Field(ge=0, le=1)]
    why: Annotated[str, AfterValidator(one_line)] = ""
