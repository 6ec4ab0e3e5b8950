"""`python -m examples.shop`: prints its address on the first line once it accepts connections."""

from cyclopts import App

from examples.shop.app import create_app
from examples.shop.store import Store
from simulator.server import serve

app = App(name="shop", help="Serve the example shop's inventory, payment and shipping.")


@app.default
def main(*, host: str = "127.0.0.1", port: int = 8378, data: str = ":memory:") -> None:
    serve(create_app(Store(data)), port, "shop", host=host)


app()
