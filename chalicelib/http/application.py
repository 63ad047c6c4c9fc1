"""The HTTP application: every route, and what all of them share. Its import changes nothing in the process."""

from collections.abc import Callable
from typing import Any

from chalice.app import Chalice, Request, Response

from chalicelib.http import callers, contract, explanations, market, orders, page, responses, streams
from chalicelib.observability.context import invocation
from chalicelib.observability.streams import entry
from chalicelib.observability.traces import trace_id_of

app = Chalice(app_name="order-execution-engine", configure_logs=False)
app.experimental_feature_flags.update(["BLUEPRINTS", "WEBSOCKETS"])
app.register_blueprint(orders.routes)
app.register_blueprint(explanations.routes)
app.register_blueprint(market.routes)
app.register_blueprint(streams.routes)
app.register_blueprint(contract.routes)
app.register_blueprint(page.routes)


@app.middleware("all")
def within_invocation(event: Any, get_response: Callable[[Any], Any]) -> Any:
    with invocation(event.lambda_context if isinstance(event, Request) else event.context):
        return get_response(event)


@app.middleware("http")
def finish_response(event: Request, get_response: Callable[[Request], Response]) -> Response:
    request_id = responses.request_id_of(event)
    with entry(requestId=request_id, traceId=trace_id_of(request_id, event.headers.get("traceparent"))):
        return responses.finish(event, callers.authenticated(event, get_response))
