"""The gateway as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from continuo.authoring.library import Library
from continuo.starters.gateway import (
    chat,
    completions,
    embeddings,
    errors,
    health,
    jobs,
    messages,
    models,
    moderations,
    openapi,
    responses,
    transcriptions,
)
from continuo.starters.gateway.edge import Edge
from continuo.starters.gateway.runs import ClientLeft
from continuo.starters.gateway.state import opened
from continuo.temporal.connect import connect
from continuo.temporal.telemetry import configure_logging, configure_tracing
from continuo.wire.errors import WireError

log = structlog.get_logger()

ROUTES = [
    Route("/v1/chat/completions", chat.create, methods=["POST"]),
    Route("/v1/completions", completions.create, methods=["POST"]),
    Route("/v1/audio/transcriptions", transcriptions.create, methods=["POST"]),
    Route("/v1/embeddings", embeddings.create, methods=["POST"]),
    Route("/v1/messages", messages.create, methods=["POST"]),
    Route("/v1/messages/count_tokens", messages.count_tokens, methods=["POST"]),
    Route("/v1/responses", responses.create, methods=["POST"]),
    Route("/v1/responses/input_tokens", responses.input_tokens, methods=["POST"]),
    Route("/v1/moderations", moderations.create, methods=["POST"]),
    Route("/v1/jobs", jobs.create, methods=["POST"]),
    Route("/v1/jobs", jobs.list_jobs),
    Route("/v1/jobs/{id}", jobs.get),
    Route("/v1/jobs/{id}/cancel", jobs.cancel, methods=["POST"]),
    Route("/v1/models", models.list_models),
    Route("/v1/models/{id:path}", models.get_model),
    Route("/openapi.json", openapi.document),
    Route("/healthz", health.alive),
    Route("/readyz", health.ready),
]


def create() -> Starlette:
    """The application, which opens what it needs when its server starts."""
    raised = (WireError, ClientLeft, ClientDisconnect, HTTPException, *errors.AWAY, Exception)
    return Starlette(
        routes=ROUTES,
        middleware=[Middleware(Edge)],
        exception_handlers=dict.fromkeys(raised, errors.answer),
        lifespan=_lifespan,
    )


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    library = Library()
    configure_logging(library.settings.log_level, library.masker)
    client = await connect(configure_tracing("continuo-gateway", library.masker))
    async with opened(client, library) as app.state.gateway:
        log.info("gateway ready")
        yield
