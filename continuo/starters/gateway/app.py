"""The gateway as an ASGI application."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from continuo.authoring.library import Library
from continuo.observing.exposition import SHARED, free_address
from continuo.protection.review_links import PATH
from continuo.starters.gateway import (
    batches,
    chat,
    completions,
    conversations,
    embeddings,
    errors,
    feedback,
    files,
    health,
    jobs,
    kept_completions,
    kept_responses,
    messages,
    metrics,
    models,
    moderations,
    openapi,
    responses,
    review_links,
    reviews,
    schedules,
    transcriptions,
)
from continuo.starters.gateway.edge import Edge
from continuo.starters.gateway.runs import ClientLeft
from continuo.starters.gateway.state import opened
from continuo.starters.gateway.sweeping import sweeping
from continuo.starters.gateway.ui.routes import UI
from continuo.temporal.connect import connect
from continuo.temporal.refreshing import refreshing
from continuo.temporal.telemetry import configure_logging, configure_tracing
from continuo.wire.errors import WireError
from continuo.workers.retiring import warn

log = structlog.get_logger()

ROUTES = [
    Route("/v1/chat/completions", chat.create, methods=["POST"]),
    Route("/v1/chat/completions", kept_completions.list_completions),
    Route("/v1/chat/completions/{id}", kept_completions.retrieve),
    Route("/v1/chat/completions/{id}", kept_completions.update, methods=["POST"]),
    Route("/v1/chat/completions/{id}", kept_completions.delete, methods=["DELETE"]),
    Route("/v1/chat/completions/{id}/messages", kept_completions.messages),
    Route("/v1/completions", completions.create, methods=["POST"]),
    Route("/v1/audio/transcriptions", transcriptions.create, methods=["POST"]),
    Route("/v1/embeddings", embeddings.create, methods=["POST"]),
    Route("/v1/files", files.create, methods=["POST"]),
    Route("/v1/files", files.list_files),
    Route("/v1/files/{id}", files.retrieve),
    Route("/v1/files/{id}", files.delete, methods=["DELETE"]),
    Route("/v1/files/{id}/content", files.content),
    Route("/v1/batches", batches.create, methods=["POST"]),
    Route("/v1/batches", batches.list_batches),
    Route("/v1/batches/{id}", batches.retrieve),
    Route("/v1/batches/{id}/cancel", batches.cancel, methods=["POST"]),
    Route("/v1/messages/batches", batches.create_messages, methods=["POST"]),
    Route("/v1/messages/batches", batches.list_messages),
    Route("/v1/messages/batches/{id}", batches.retrieve_messages),
    Route("/v1/messages/batches/{id}", batches.delete_messages, methods=["DELETE"]),
    Route("/v1/messages/batches/{id}/cancel", batches.cancel_messages, methods=["POST"]),
    Route("/v1/messages/batches/{id}/results", batches.results),
    Route("/v1/messages", messages.create, methods=["POST"]),
    Route("/v1/messages/count_tokens", messages.count_tokens, methods=["POST"]),
    Route("/v1/responses", responses.create, methods=["POST"]),
    Route("/v1/responses/input_tokens", responses.input_tokens, methods=["POST"]),
    Route("/v1/responses/compact", responses.compact, methods=["POST"]),
    Route("/v1/responses/{id}", kept_responses.retrieve),
    Route("/v1/responses/{id}", kept_responses.delete, methods=["DELETE"]),
    Route("/v1/responses/{id}/cancel", kept_responses.cancel, methods=["POST"]),
    Route("/v1/responses/{id}/input_items", kept_responses.input_items),
    Route("/v1/conversations", conversations.create, methods=["POST"]),
    Route("/v1/conversations/{id}", conversations.retrieve),
    Route("/v1/conversations/{id}", conversations.update, methods=["POST"]),
    Route("/v1/conversations/{id}", conversations.delete, methods=["DELETE"]),
    Route("/v1/conversations/{id}/items", conversations.list_items),
    Route("/v1/conversations/{id}/items", conversations.create_items, methods=["POST"]),
    Route("/v1/conversations/{id}/items/{item}", conversations.retrieve_item),
    Route("/v1/conversations/{id}/items/{item}", conversations.delete_item, methods=["DELETE"]),
    Route("/v1/moderations", moderations.create, methods=["POST"]),
    Route("/v1/jobs", jobs.create, methods=["POST"]),
    Route("/v1/jobs", jobs.list_jobs),
    Route("/v1/jobs/{id}", jobs.get),
    Route("/v1/jobs/{id}/cancel", jobs.cancel, methods=["POST"]),
    Route("/v1/feedback", feedback.create, methods=["POST"]),
    Route("/v1/schedules", schedules.list_schedules),
    Route("/v1/schedules/{name}", schedules.put, methods=["PUT"]),
    Route("/v1/schedules/{name}", schedules.get),
    Route("/v1/schedules/{name}", schedules.delete, methods=["DELETE"]),
    *(
        Route(f"/v1/schedules/{{name}}/{action.__name__}", action, methods=["POST"])
        for action in (schedules.pause, schedules.resume, schedules.trigger)
    ),
    Route("/v1/reviews", reviews.list_reviews),
    *(
        Route(f"/v1/reviews/{{id:path}}/{action.__name__}", action, methods=["POST"])
        for action in (
            reviews.approve,
            reviews.edit,
            reviews.reject,
            reviews.respond,
            reviews.claim,
            reviews.release,
            review_links.link,
        )
    ),
    Route("/v1/reviews/{id:path}", reviews.get),
    Route(PATH, review_links.show),
    Route(PATH, review_links.decide, methods=["POST"]),
    Route("/v1/models", models.list_models),
    Route("/v1/models/{id:path}", models.get_model),
    Route("/openapi.json", openapi.document),
    Route("/healthz", health.alive),
    Route("/readyz", health.ready),
    Route("/metrics", metrics.metrics),
]


def create() -> Starlette:
    """The application, which opens what it needs when its server starts."""
    raised = (WireError, ClientLeft, ClientDisconnect, HTTPException, *errors.AWAY, Exception)
    return Starlette(
        routes=[*ROUTES, UI],
        middleware=[Middleware(Edge)],
        exception_handlers=dict.fromkeys(raised, errors.answer),
        lifespan=_lifespan,
    )


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    library = Library()
    configure_logging(library.settings.log_level, library.masker)
    # Of several processes nobody can ask each for its own.
    core = None if os.environ.get(SHARED) else free_address()
    client = await connect(configure_tracing("continuo-gateway", library.masker), core)
    refreshed = refreshing(library.settings.key_refresh, client)
    async with opened(client, library, core) as app.state.gateway, sweeping(app.state.gateway), refreshed:
        await asyncio.to_thread(warn, library)
        log.info("gateway ready")
        yield
