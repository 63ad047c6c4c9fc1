"""Every door of the engine on one screen. Each handler is a decorator and one delegating line.

WebSocket, queue and schedule handlers stand here and not in blueprints because Chalice packages only
those of ``app.py`` as entry points that import the application.
"""

from chalice import Chalice, Rate

app = Chalice(app_name="order-execution-engine")


@app.route("/health", methods=["GET"])
def health():
    return {"status": "ok"}


@app.on_ws_connect(name="websocket_connect")
def websocket_connect(event):
    print("connect", event.connection_id)


@app.on_ws_message(name="websocket_message")
def websocket_message(event):
    print("message", event.body)


@app.on_ws_disconnect(name="websocket_disconnect")
def websocket_disconnect(event):
    print("disconnect", event.connection_id)


@app.on_sqs_message(queue_arn="orders-queue-arn", name="process_orders")
def process_orders(event):
    print("orders", event.to_dict())
    return {"batchItemFailures": []}


@app.on_sqs_message(queue_arn="stream-queue-arn", name="replay_streams")
def replay_streams(event):
    print("stream", event.to_dict())
    return {"batchItemFailures": []}


@app.on_sqs_message(queue_arn="dead-letters-queue-arn", name="close_dead_letters")
def close_dead_letters(event):
    print("dead", event.to_dict())
    return {"batchItemFailures": []}


@app.schedule(Rate(1, unit=Rate.MINUTES), name="watch_orders")
def watch_orders(event):
    print("watchdog")
