"""HTML of a template, in which everything is escaped that the template does not say itself; and its headers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from continuo import __version__
from continuo.starters.console.money import money

CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
"""What a browser may load and run: files of ours, and nothing that stands in a page."""

HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": CONTENT,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Without any referrer a browser would not say either where a form comes from.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
}

_templates = Environment(
    loader=PackageLoader("continuo.starters.gateway.ui"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def rendered(template: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_templates.get_template(template).render(values), status, dict(HEADERS))


def _time(time: datetime | None) -> str:
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


_templates.filters.update(money=money, time=_time, number=_number)
_templates.globals.update(version=__version__)
