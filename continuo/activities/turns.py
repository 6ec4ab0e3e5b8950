"""The turns of agents, loaded just before a model is asked; and whether what a model wrote fits its schema."""

from functools import partial
from time import time

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from continuo.activities.errors import patiently
from continuo.data import Data
from continuo.decisions.json_schema import mistake_in
from continuo.errors import ProviderError
from continuo.jobs import Failure
from continuo.messages import Message, ModelRequest
from continuo.stores.turns import Conversation, MissingTurn, Turn, Turns


class Added(Data):
    """Messages that follow the turn of the digest `parent`, which the `conversation`, if any, then ends with."""

    parent: str | None
    messages: tuple[Message, ...]
    conversation: Conversation | None = None


class Opening(Data):
    """What a model is shown in place of older turns: the messages of the turn `first`, and a `note`."""

    first: str | None
    note: str


class TurnKeeping:
    """Local activities of agents, whose histories hold digests alone."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    @activity.defn(name="add_turn")
    async def add(self, added: Added) -> Turn:
        try:
            owner = activity.info().workflow_id
            return await self._turns.add(added.parent, added.messages, time(), added.conversation, owner)
        except MissingTurn as error:
            raise _missing(error) from error

    @activity.defn(name="last_turn")
    async def last(self, conversation: Conversation) -> Turn | None:
        """The turn that a conversation ended with before."""
        try:
            return await self._turns.last(conversation)
        except MissingTurn as error:
            raise _missing(error) from error

    @activity.defn(name="open_context")
    async def open(self, opening: Opening) -> Turn:
        """Keep an opening, as a turn that follows none."""
        try:
            first = await self._turns.messages(opening.first, time(), 1) if opening.first else []
        except MissingTurn as error:
            raise _missing(error) from error
        messages = [*first, Message(role="user", content=opening.note)]
        return await self._turns.add(None, messages, time(), owner=activity.info().workflow_id)

    @activity.defn(name="examine")
    async def examine(self, texts: list[str], schemas: list[dict[str, JsonValue] | None]) -> list[str | None]:
        """What is wrong with each text for its schema; nothing where it has none."""
        return [
            None if schema is None else mistake_in(text, schema) for text, schema in zip(texts, schemas, strict=True)
        ]


async def whole(request: ModelRequest, turns: Turns) -> ModelRequest:
    """The request with all that was said earlier. Raises `ProviderError`."""
    earlier = request.earlier
    if earlier is None:
        return request
    before: list[Message] = []
    loads = [(earlier.opening, None)] if earlier.opening else []
    for digest, last in [*loads, (earlier.digest, earlier.last)]:
        try:
            before += await patiently("the store of turns", partial(turns.messages, digest, time(), last))
        except MissingTurn as error:
            raise ProviderError("invalid_request", f"{error}; {ADVICE}") from None
    return request.model_copy(update={"messages": (*before, *request.messages), "earlier": None})


ADVICE = "it was pruned, or this worker has another store; give all pools the same CONTINUO_DATA and DATABASE_URL"


def _missing(error: MissingTurn) -> ApplicationError:
    failure = Failure(type="TurnMissing", message=f"{error}; {ADVICE}")
    return ApplicationError(failure.message, failure, type=failure.type, non_retryable=True)
