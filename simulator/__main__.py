"""`python -m simulator`: prints its address on the first line once it accepts connections."""

from cyclopts import App

from simulator.app import create_app
from simulator.server import serve

app = App(name="simulator", help="Serve simulated models.")


@app.default
def main(*, host: str = "127.0.0.1", port: int = 8377, latency: float = 0.0) -> None:
    serve(create_app(latency), host, port, "simulator")


app()
