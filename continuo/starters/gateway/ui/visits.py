"""A request of somebody who is signed in to the page: who it is, what that person may do, and how it is answered."""

import hmac
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from continuo.authoring.prepare import validated
from continuo.data import Data
from continuo.errors import InputError
from continuo.protection.api_keys import ApiKey, Role
from continuo.starters.gateway.errors import AWAY
from continuo.starters.gateway.state import Gateway
from continuo.starters.gateway.ui.render import rendered
from continuo.stores.sessions import Sessions

log = structlog.get_logger()

COOKIE = "continuo_session"

HOME = "/ui"

FORM = 2 << 20
"""Bytes of a form at most."""

T = TypeVar("T", bound=Data)
Fields = Mapping[str, str]
Serve = Callable[[Request], Awaitable[Response]]
Show = Callable[["Visit"], Awaitable[Response]]


class Unserved(Exception):
    """The page cannot be had, or the action not be done: shown with its HTTP `status`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Visit:
    """`key` is that of the person, `csrf` stands in each form, and `fields` are those of the form that was sent, or of
    the query."""

    http: Request
    gateway: Gateway
    key: ApiKey
    csrf: str
    fields: Fields

    @property
    def tenant(self) -> str | None:
        """Whose things are shown: those of the person's own tenant; who sees every tenant chooses one, or sees all."""
        return self.fields.get("tenant") or None if self.key.admin else self.key.tenant

    def owns(self, tenant: str) -> bool:
        """Whether the person may see this tenant."""
        return self.key.admin or self.key.tenant == tenant

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page; the template knows the visit too."""
        fields = defaultdict(str, self.fields)
        return rendered(template, status, visit=self, key=self.key, csrf=self.csrf, fields=fields, **values)

    def go(self, path: str, **query: str) -> Response:
        """Show another page after an action."""
        return RedirectResponse(f"{HOME}{path}{'?' if query else ''}{urlencode(query)}", 303)

    def query(self, shape: type[T], **fixed: object) -> T:
        """The fields that the shape has, which are not empty. Raises `InputError` that names the one that is wrong."""
        given = {name: value for name, value in self.fields.items() if value and name in shape.model_fields}
        return validated(shape, **{**given, **fixed})


def page(role: Role = "viewer", *, everywhere: bool = False) -> Callable[[Show], Serve]:
    """Serves a page, or an action by POST, to who has the role; `everywhere` to those alone who see every tenant, since
    it concerns all. Errors are pages too."""

    def decorate(show: Show) -> Serve:
        @wraps(show)
        async def serve(http: Request) -> Response:
            try:
                visit = await visiting(http)
                if visit is None:
                    return _to_sign_in(http)
                if not visit.key.has_role(role) or (everywhere and not visit.key.admin):
                    who = f"{role}{' of every tenant' if everywhere else ''}"
                    raise Unserved(403, f"this needs the role {who}, which the key {visit.key.name!r} does not have")
                if http.method == "POST":
                    log.info("page action", path=http.url.path, key=visit.key.id, tenant=visit.key.tenant)
                return await show(visit)
            except Unserved as error:
                return problem(error.status, str(error))
            except AWAY as error:
                log.warning("something that a page needs is away", path=http.url.path, error=f"{error}")
                return problem(503, "something that this page needs is not available now; try again")
            except InputError as error:
                return problem(400, str(error))
            except Exception:
                log.exception("a page failed by a mistake of ours", path=http.url.path)
                return problem(500, f"a mistake of ours; its log has more under {http.scope.get('request_id')}")

        return serve

    return decorate


async def visiting(http: Request) -> Visit | None:
    """The visit of who is signed in. Raises `Unserved` for a form that is not this page's own."""
    gateway: Gateway = http.app.state.gateway
    token = http.cookies.get(COOKIE, "")
    proof = await Sessions(gateway.store).find(token, time.time()) if token else None
    key = await gateway.ring.proven(proof) if proof else None
    if key is None:
        return None
    http.scope["key_id"] = key.id
    csrf = csrf_of(token)
    fields: Fields = dict(http.query_params)
    if http.method == "POST":
        fields = await form_of(http)
        if not hmac.compare_digest(fields.get("csrf", "").encode(), csrf.encode()):
            raise Unserved(403, "this form is not one of this session; load the page again")
    return Visit(http, gateway, key, csrf, fields)


def csrf_of(token: str) -> str:
    """What stands in the forms of a session: of its token, which no script and no other site reads."""
    return hmac.new(token.encode(), b"forms of the page", sha256).hexdigest()


async def form_of(http: Request) -> dict[str, str]:
    """The fields of a form that one of our own pages has sent. Raises `Unserved`."""
    origin = http.headers.get("origin", "")
    if not origin or urlsplit(origin).netloc != http.headers.get("host"):
        raise Unserved(403, "this form was sent by another site; open it here")
    if http.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Unserved(415, "send the form of this page")
    content = await http.body()
    if len(content) > FORM:
        raise Unserved(413, f"the form has more than {FORM:,} bytes; shorten the text")
    try:
        return dict(parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise Unserved(400, "the form cannot be read; load the page again") from None


def problem(status: int, message: str) -> Response:
    return rendered("problem.html", status, message=message)


def _to_sign_in(http: Request) -> Response:
    """A part of a page that is loaded by itself cannot show another one."""
    if "hx-request" in http.headers:
        return Response(status_code=204, headers={"hx-redirect": f"{HOME}/sign-in"})
    return RedirectResponse(f"{HOME}/sign-in", 303)
