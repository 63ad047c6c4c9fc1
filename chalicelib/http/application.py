"""The HTTP application: every route, and what all of them share. Its import changes nothing in the process."""

from collections.abc import Callable

from chalice.app import Chalice, Request, Response

from chalicelib.http import callers, contract, explanations, market, orders, page, responses, streams

app = Chalice(app_name="order-execution-engine", configure_logs=False)
app.experimental_feature_flags.update(["BLUEPRINTS", "WEBSOCKETS"])
app.register_blueprint(orders.routes)
app.register_blueprint(explanations.routes)
app.register_blueprint(market.routes)
app.register_blueprint(streams.routes)
app.register_blueprint(contract.routes)
app.register_blueprint(page.routes)


@app.middleware("http")
def finish_response(event: Request, get_response: Callable[[Request], Response]) -> Response:
    return responses.finish(event, callers.authenticated(event, get_response))
