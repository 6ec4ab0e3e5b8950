"""`python -m continuo.simulator`: prints its address on the first line once it accepts connections."""

from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from continuo.simulator.app import create_app
from continuo.simulator.server import serve

app = App(name="simulator", help="Serve simulated models.")


@app.default
def main(
    *,
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 8377,
    host: str = "127.0.0.1",
    latency: Annotated[float, Parameter(validator=Number(gte=0))] = 0.0,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Parameters
    ----------
    port
        Where to listen; 0 is any free port.
    host
        The address to listen on.
    latency
        Seconds before every answer of a model that has no latency of its own.
    """
    serve(create_app(latency), port, "simulator", host=host)


app()
