"""What the page serves, below `/ui`."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from continuo.starters.gateway.ui import (
    access,
    breakers,
    dead_letters,
    money,
    patterns,
    rate,
    reviews,
    runs,
    sign_in,
    work,
)
from continuo.starters.gateway.ui.static import static
from continuo.starters.gateway.ui.visits import HOME


async def home(http: Request) -> Response:
    return RedirectResponse(f"{HOME}/runs", 303)


UI = Mount(
    HOME,
    routes=[
        Route("/", home),
        Route("/static/{name}", static),
        Route("/sign-in", sign_in.show),
        Route("/sign-in", sign_in.sign_in, methods=["POST"]),
        Route("/sign-out", sign_in.sign_out, methods=["POST"]),
        Route("/runs", runs.list_runs),
        Route("/run", runs.show),
        Route("/run/live", runs.live),
        Route("/run/cancel", runs.cancel, methods=["POST"]),
        Route("/reviews", reviews.list_reviews),
        Route("/review", reviews.show),
        Route("/review", reviews.decide, methods=["POST"]),
        Route("/rate", rate.show),
        Route("/rate", rate.rate, methods=["POST"]),
        Route("/dead-letters", dead_letters.list_letters),
        Route("/dead-letter", dead_letters.show),
        Route("/dead-letter", dead_letters.act, methods=["POST"]),
        Route("/costs", money.costs),
        Route("/budgets", money.budgets),
        Route("/breakers", breakers.list_breakers),
        Route("/breakers", breakers.act, methods=["POST"]),
        Route("/jobs", work.jobs),
        Route("/batches", work.batches),
        Route("/batches", work.act, methods=["POST"]),
        Route("/patterns", patterns.list_patterns),
        Route("/pattern", patterns.show),
        Route("/playground", patterns.playground),
        Route("/playground", patterns.run, methods=["POST"]),
        Route("/cache", access.cache),
        Route("/cache", access.drop, methods=["POST"]),
        Route("/keys", access.keys),
        Route("/keys", access.revoke, methods=["POST"]),
        Route("/guardrails", access.guardrails),
    ],
)
