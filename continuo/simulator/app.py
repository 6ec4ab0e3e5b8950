"""The server's application: which path is whose."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from continuo.simulator import control, kserve
from continuo.simulator.answering import (
    embed_google,
    embed_openai,
    infer_kserve,
    serve_anthropic,
    serve_google,
    serve_openai,
    stream_google,
    transcribe_openai,
)
from continuo.simulator.batches import anthropic, google, openai
from continuo.simulator.behaviour import State
from continuo.simulator.responses import SIMULATED


async def known_models(request: Request) -> Response:
    """Any id is answered; those that were scripted are listed."""
    ids = request.app.state.simulator.models
    data = [{"id": id, "object": "model", "created": 0, "owned_by": "simulator"} for id in ids]
    return JSONResponse({"object": "list", "data": data}, headers=SIMULATED)


def create_app(latency: float = 0.0) -> Starlette:
    """The server's application. `latency` in seconds is that of every model without one of its own."""
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", serve_openai, methods=["POST"]),
            Route("/v1/embeddings", embed_openai, methods=["POST"]),
            Route("/v1/audio/transcriptions", transcribe_openai, methods=["POST"]),
            Route("/v1/files", openai.upload, methods=["POST"]),
            Route("/v1/files/{id}/content", openai.content),
            Route("/v1/batches", openai.create, methods=["POST"]),
            Route("/v1/batches", openai.listed),
            Route("/v1/batches/{id}", openai.retrieve),
            Route("/v1/batches/{id}/cancel", openai.cancel, methods=["POST"]),
            Route("/v1/messages", serve_anthropic, methods=["POST"]),
            Route("/v1/messages/batches", anthropic.create, methods=["POST"]),
            Route("/v1/messages/batches", anthropic.listed),
            Route("/v1/messages/batches/{id}", anthropic.retrieve),
            Route("/v1/messages/batches/{id}/cancel", anthropic.cancel, methods=["POST"]),
            Route("/v1/messages/batches/{id}/results", anthropic.results),
            Route("/v1beta/models/{model:path}:generateContent", serve_google, methods=["POST"]),
            Route("/v1beta/models/{model:path}:batchGenerateContent", google.create, methods=["POST"]),
            Route("/v1beta/batches", google.listed),
            Route("/v1beta/batches/{id}", google.retrieve),
            Route("/v1beta/batches/{id}:cancel", google.cancel, methods=["POST"]),
            Route("/v1beta/models/{model:path}:batchEmbedContents", embed_google, methods=["POST"]),
            Route("/v1beta/models/{model:path}:streamGenerateContent", stream_google, methods=["POST"]),
            Route("/v2/health/ready", kserve.ready),
            Route("/v2/models/{model}", kserve.metadata),
            Route("/v2/models/{model}/infer", infer_kserve, methods=["POST"]),
            Route("/v2/models/{model}/versions/{version}/infer", infer_kserve, methods=["POST"]),
            Route("/v1/models", known_models),
            Route("/_sim/calls", control.calls, methods=["GET", "DELETE"]),
            Route("/_sim/models", control.models, methods=["DELETE"]),
            Route("/_sim/models/{id:path}", control.model, methods=["GET", "PUT", "DELETE"]),
            Route("/_sim/health", control.health),
        ]
    )
    app.state.simulator = State(latency)
    return app
