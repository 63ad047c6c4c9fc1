"""Every door of the engine on one screen; each is a decorator and one line that hands over.

The socket, queue and schedule handlers stand here and not in blueprints, because Chalice makes only those of
``app.py`` entry points that load this application. Concurrency, redrive and time-outs stand beside the queues in
``infra/resources.yaml``; the placeholders for queue ARNs are filled there.
"""

from collections.abc import Callable
from typing import Any

from chalice.app import Chalice, Rate, Request, Response, SQSEvent, WebsocketEvent

from chalicelib import bootstrap, logs
from chalicelib.consumers import orders as order_queues
from chalicelib.http import market, orders, responses
from chalicelib.streaming import actions, connections

logs.configure_logging()
app = Chalice(app_name="order-execution-engine", configure_logs=False)
app.experimental_feature_flags.update(["BLUEPRINTS", "WEBSOCKETS"])
app.register_blueprint(orders.routes)
app.register_blueprint(market.routes)


@app.middleware("http")
def finish_answer(event: Request, get_response: Callable[[Request], Response]) -> Response:
    return responses.finished(event, get_response(event))


@app.on_ws_connect(name="websocket_connect")
def websocket_connect(event: WebsocketEvent) -> dict[str, int]:
    return connections.connect(bootstrap.engine(), event.to_dict())


@app.on_ws_message(name="websocket_message")
def websocket_message(event: WebsocketEvent) -> None:
    actions.message(bootstrap.engine(), event.to_dict())


@app.on_ws_disconnect(name="websocket_disconnect")
def websocket_disconnect(event: WebsocketEvent) -> None:
    connections.disconnect(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="orders-queue-arn", name="process_orders")
def process_orders(event: SQSEvent) -> dict[str, Any]:
    return order_queues.process_orders(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="stream-queue-arn", name="replay_streams")
def replay_streams(event: SQSEvent) -> dict[str, Any]:
    return connections.bring_streams(bootstrap.engine(), event.to_dict())


@app.on_sqs_message(queue_arn="dead-letters-queue-arn", name="close_dead_letters")
def close_dead_letters(event: SQSEvent) -> dict[str, Any]:
    return order_queues.close_dead_letters(bootstrap.engine(), event.to_dict())


@app.schedule(Rate(1, unit=Rate.MINUTES), name="watch_market")
def watch_market(event: object) -> None:
    bootstrap.engine().market.for_a_minute()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="run_watchdog")
def run_watchdog(event: object) -> None:
    bootstrap.engine().watch()
