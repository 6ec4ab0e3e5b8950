"""`continuo codec-server`: encrypted histories, readable in Temporal's UI for who may."""

from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter, validators

from continuo.config.settings import Settings


def codec_server(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 8888,
    ui: str | None = None,
) -> None:
    """Decode encrypted histories for Temporal's UI and CLI until Ctrl-C.

    Who asks needs an admin key, see `continuo keys create --admin`: in a browser on this server's page, else as
    `Authorization: Bearer KEY`.

    Parameters
    ----------
    host
        The address to listen at. Beyond this host, put it behind a proxy with TLS.
    port
        The port to listen at.
    ui
        The address of Temporal's UI, whose pages alone may read the answers; CONTINUO_UI_URL unless it is given.
    """
    import uvicorn

    from continuo.starters.codec_server import create

    parts = urlsplit(ui or Settings().ui_url)
    app = create(f"{parts.scheme}://{parts.netloc}")
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning", server_header=False)
