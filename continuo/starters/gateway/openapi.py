"""`GET /openapi.json`: what is served, made of the routes and of the shapes that bodies are checked by."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from continuo import __version__
from continuo.jobs import Outcome
from continuo.operations.jobs import JobStatus
from continuo.protection.review_links import PATH
from continuo.starters.gateway import (
    chat,
    conversations,
    feedback,
    jobs,
    kept_completions,
    messages,
    responses,
    review_links,
    reviews,
    schedules,
)
from continuo.wire import anthropic
from continuo.wire import chat as chat_wire
from continuo.wire import feedback as feedback_wire
from continuo.wire import jobs as jobs_wire
from continuo.wire import responses as responses_wire
from continuo.wire import reviews as reviews_wire
from continuo.wire import schedules as schedules_wire

BODIES: dict[object, type[BaseModel]] = {
    chat.create: chat_wire.Body,
    feedback.create: feedback_wire.Body,
    jobs.create: jobs_wire.Body,
    messages.create: anthropic.Body,
    messages.count_tokens: anthropic.CountBody,
    responses.create: responses_wire.Body,
    responses.input_tokens: responses_wire.CountBody,
    **dict.fromkeys((reviews.approve, reviews.edit, reviews.reject, reviews.respond), reviews_wire.DecisionBody),
    reviews.claim: reviews_wire.ClaimBody,
    schedules.put: schedules_wire.Body,
    schedules.pause: schedules_wire.PauseBody,
    reviews.release: reviews_wire.ReleaseBody,
    review_links.link: reviews_wire.LinkBody,
    conversations.create: responses_wire.ConversationBody,
    conversations.create_items: responses_wire.ItemsBody,
    conversations.update: responses_wire.UpdateBody,
    kept_completions.update: chat_wire.UpdateBody,
}

ANSWERS: dict[object, tuple[str, str]] = {
    jobs.create: ("202", "Job"),
    jobs.get: ("200", "Job"),
    jobs.cancel: ("200", "Job"),
    jobs.list_jobs: ("200", "Jobs"),
}
"""The others are those of the SDKs."""

QUERIES: dict[object, dict[str, Any]] = {
    jobs.list_jobs: {
        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        "after": {"type": "string"},
        "status": {"enum": [*get_args(JobStatus)]},
    },
    reviews.list_reviews: {
        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        "after": {"type": "string"},
        "pattern": {"type": "string"},
    },
    review_links.show: {"link": {"type": "string"}},
    review_links.decide: {"link": {"type": "string"}},
}

OPEN = ("/healthz", "/readyz", "/openapi.json", PATH)
"""Asked without a key."""

REF = "#/components/schemas/{model}"


async def document(http: Request) -> Response:
    state = http.app.state
    if not hasattr(state, "openapi"):
        # Without the pages, which are for people.
        routes = [route for route in http.app.routes if isinstance(route, Route)]
        state.openapi = await asyncio.to_thread(_document, routes)
    return JSONResponse(state.openapi)


def _document(routes: Sequence[Route]) -> dict[str, Any]:
    shapes: list[type[BaseModel]] = [*BODIES.values(), Outcome]
    refs, schemas = models_json_schema([(shape, "validation") for shape in shapes], ref_template=REF)
    by_model: dict[object, Any] = {model: ref for (model, _), ref in refs.items()}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            operation = _operation(route, by_model.get(BODIES.get(route.endpoint)))
            paths.setdefault(route.path.replace(":path", ""), {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Continuo", "version": __version__},
        "security": [{"bearer": []}, {"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "schemas": {**schemas["$defs"], **_answers(by_model[Outcome])},
        },
    }


def _operation(route: Route, body: dict[str, Any] | None) -> dict[str, Any]:
    status, answer = ANSWERS.get(route.endpoint, ("200", None))
    place, query = re.findall(r"{(\w+)", route.path), QUERIES.get(route.endpoint, {})
    operation: dict[str, Any] = {
        "operationId": f"{route.endpoint.__module__.rpartition('.')[2]}_{route.endpoint.__name__}",
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in place),
            *({"name": name, "in": "query", "schema": schema} for name, schema in query.items()),
        ],
        "responses": {
            status: _content("The answer.", {"$ref": REF.format(model=answer)} if answer else {"type": "object"}),
            "default": _content("Why there is none.", {"$ref": REF.format(model="Error")}),
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, **_content("What is asked.", body)}
    if route.path in OPEN:
        operation["security"] = []
    return operation


def _content(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _answers(result: dict[str, Any]) -> dict[str, Any]:
    """What is ours in answers, and the least that is in every error."""
    text, number, nothing = {"type": "string"}, {"type": "integer"}, {"type": "null"}
    properties = {
        "id": text,
        "object": {"const": "job"},
        "status": {"enum": [*get_args(JobStatus)]},
        "pattern": text,
        "created_at": number,
        "ended_at": {"anyOf": [number, nothing]},
        "metadata": {"type": "object", "additionalProperties": text},
        "status_url": text,
        "result": {"anyOf": [result, nothing]},
        "error": {"anyOf": [{"type": "object", "required": ["type", "message"]}, nothing]},
        "continuo": {"type": "object"},
    }
    jobs = {"type": "array", "items": {"$ref": REF.format(model="Job")}}
    return {
        "Job": {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False},
        "Jobs": {"type": "object", "properties": {"data": jobs}, "required": ["data", "last_id", "has_more"]},
        "Error": {"type": "object", "properties": {"error": {"type": "object"}}, "required": ["error"]},
    }
