"""`python -m continuo.simulator.shop`: prints its address on the first line once it accepts connections."""

from cyclopts import App

from continuo.simulator.server import serve
from continuo.simulator.shop.app import create_app
from continuo.simulator.shop.store import Store

app = App(name="shop", help="Serve the example shop's inventory, payment and shipping.")


@app.default
def main(*, host: str = "127.0.0.1", port: int = 8378, data: str = ":memory:") -> None:
    serve(create_app(Store(data)), port, "shop", host=host)


app()
