"""Conversations: the bodies of requests."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from continuo.wire.kept import Metadata
from continuo.wire.parsed import Shape
from continuo.wire.responses.body import Item, typed

MOST = 20
"""Items that are added at once."""


class ConversationBody(Shape):
    """Of `POST /v1/conversations`."""

    items: (
        Annotated[list[Item], Field(max_length=MOST), BeforeValidator(typed, json_schema_input_type=list[Item])] | None
    ) = None
    metadata: Metadata | None = None


class UpdateBody(Shape):
    """Of what gives metadata to something that is kept."""

    metadata: Metadata | None


class ItemsBody(Shape):
    """Of `POST /v1/conversations/{id}/items`."""

    items: Annotated[
        list[Item], Field(min_length=1, max_length=MOST), BeforeValidator(typed, json_schema_input_type=list[Item])
    ]
