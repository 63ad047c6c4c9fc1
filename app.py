"""Every entry point of the engine on one screen. ``http.application`` has the routes; each other entry point is a
decorator and one line that delegates.

===========================================  =======================================================
route                                        view
===========================================  =======================================================
POST    /api/orders/execute, /orders         http.orders.execute_order, create_order
POST    /api/orders/preview                  http.orders.preview_order
GET     /api/orders                          http.orders.list_orders
DELETE  /api/orders                          http.orders.cancel_orders
GET     /api/orders/{order_id}               http.orders.get_order
PATCH   /api/orders/{order_id}               http.orders.amend_order
DELETE  /api/orders/{order_id}               http.orders.cancel_order
GET     /api/orders/status/{order_id}        http.orders.get_status
GET     /api/orders/{order_id}/events        http.orders.get_events
GET     /api/orders/{order_id}/explain       http.explanations.explain_order
GET     /api/quotes                          http.market.get_quotes
POST    /api/market/events                   http.market.post_market_event
POST    /api/stream-tickets                  http.streams.create_stream_ticket
GET     /api/tokens                          http.market.get_tokens
GET     /api/stats                           http.market.get_stats
GET     /api/engine                          http.market.get_engine
GET     /health                              http.market.get_health
GET     /                                    http.page.get_page
GET     /ui/{name}                           http.page.get_page_file
GET     /openapi.json                        http.contract.get_openapi
GET     /asyncapi.json                       http.contract.get_asyncapi
GET     /docs                                http.contract.get_docs
GET     /llms.txt                            http.contract.get_llms
===========================================  =======================================================

Every ``GET`` answers ``HEAD`` too. Every route needs a credential, but for those in ``http.callers.OPEN``.

The socket and queue handlers are here and not in blueprints, because Chalice packages a blueprint's
handlers so that Lambda does not load this application. Concurrency, redrive and timeouts are beside the queues in
``infra/aws/resources.yaml``, which also replaces the placeholders for queue ARNs.
"""

# ruff: noqa: E402 - the collector must be off before the imports.
import gc

# What the imports make lives as long as the process. Looking for garbage in it takes a tenth of a cold start.
gc.disable()

from typing import Any

from chalice.app import SQSEvent, WebsocketEvent

# ``connect`` loads the SDK as the function starts, and not within its first event.
import chalicelib.connect  # noqa: F401
from chalicelib import bootstrap, logs
from chalicelib.consumers import fan_out as fan_out_consumer
from chalicelib.consumers import looks as look_consumer
from chalicelib.consumers import orders as order_consumer
from chalicelib.consumers import streams as replay_consumer
from chalicelib.http.application import app
from chalicelib.streaming import actions, connections

__all__ = ["app"]

logs.configure_logging()


@app.on_ws_connect(name="websocket_connect")
def websocket_connect(event: WebsocketEvent) -> dict[str, Any]:
    return connections.connect(bootstrap.engine(), event.to_dict())


@app.on_ws_message(name="websocket_message")
def websocket_message(event: WebsocketEvent) -> None:
    actions.handle_message(bootstrap.engine(), event.to_dict())


@app.on_ws_disconnect(name="websocket_disconnect")
def websocket_disconnect(event: WebsocketEvent) -> None:
    connections.disconnect(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="orders-queue-arn", name="process_orders")
def process_orders(event: SQSEvent) -> dict[str, Any]:
    return order_consumer.process_orders(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="replay-queue-arn", name="replay_streams")
def replay_streams(event: SQSEvent) -> dict[str, Any]:
    return replay_consumer.replay_streams(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="fan-out-queue-arn", name="fan_out")
def fan_out(event: SQSEvent) -> dict[str, Any]:
    return fan_out_consumer.fan_out(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="dead-letters-queue-arn", name="close_dead_letters")
def close_dead_letters(event: SQSEvent) -> dict[str, Any]:
    return order_consumer.close_dead_letters(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="looks-queue-arn", name="run_looks")
def run_looks(event: SQSEvent) -> None:
    look_consumer.run_looks(bootstrap.engine(), event.to_dict())


bootstrap.build_in_lambda()
gc.freeze()
gc.enable()
