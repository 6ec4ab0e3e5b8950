"""The scripts and styles of the page, which come with the package."""

from functools import cache
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


async def static(http: Request) -> Response:
    name = http.path_params["name"]
    if name not in _contents():
        raise HTTPException(404)
    headers = {"cache-control": "public, max-age=86400", "x-content-type-options": "nosniff"}
    return Response(_contents()[name], media_type=TYPES[name.rpartition(".")[2]], headers=headers)


@cache
def _contents() -> dict[str, bytes]:
    folder = files("continuo.starters.gateway.ui") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in TYPES}
