"""The parts of a message: text, media and reasoning."""

from typing import Annotated, Literal

from pydantic import Field

from continuo.data import Data, Int, Number

Input = Literal["text", "image", "audio", "file"]
"""What a model can be given to read."""

MAX_MEDIA_BYTES = 20_000_000
"""Of all media of a request: base64 makes 27 MB of them, and Anthropic takes requests of 32 MB, the others of more."""

MAX_SIDE = 100_000
"""Pixels."""


class Text(Data):
    kind: Literal["text"] = "text"
    text: str


class Blob(Data):
    """A reference to content in the payload store: `sha256` in hexadecimal digits, `size` in bytes."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: Int = Field(gt=0, le=MAX_MEDIA_BYTES)
    name: str | None = Field(default=None, max_length=200)


class Image(Blob):
    """`width` and `height` are in pixels."""

    kind: Literal["image"] = "image"
    media_type: Literal["image/png", "image/jpeg", "image/webp", "image/gif"]
    width: Int = Field(gt=0, le=MAX_SIDE)
    height: Int = Field(gt=0, le=MAX_SIDE)


class Audio(Blob):
    """`seconds` is how long it is at most."""

    kind: Literal["audio"] = "audio"
    media_type: Literal["audio/wav", "audio/mpeg"]
    seconds: Number = Field(gt=0, le=MAX_MEDIA_BYTES)


class File(Blob):
    """A PDF file of about so many `pages`, or a text in UTF-8, which has none."""

    kind: Literal["file"] = "file"
    media_type: Literal["application/pdf", "text/plain"]
    pages: Int | None = Field(default=None, gt=0, le=MAX_MEDIA_BYTES)


class Reasoning(Data):
    """What a model thought before it went on, as far as its provider tells.

    `signature` is the provider's own, without which it takes no thought back; where the thought is `redacted` it holds
    the whole of it, encrypted. `protocol` is the only one that can read it.
    """

    kind: Literal["reasoning"] = "reasoning"
    protocol: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    text: str = ""
    signature: str | None = None
    redacted: bool = False


Media = Image | Audio | File
Part = Annotated[Text | Image | Audio | File | Reasoning, Field(discriminator="kind")]
