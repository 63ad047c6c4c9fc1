"""The alarms of the API, of the sockets, and of the limits of Lambda and DynamoDB.

``order_alarms`` says how long a fault lasts.
"""

from infra.aws.alarms import Alarm, total
from infra.aws.metrics import api, engine, front_door, function, queue, table

_WRITES = "WriteThrottleEvents"

_API = (
    # The share, so that a busy stage does not ring by single answers, and a quiet one rings by its second.
    Alarm(
        "ApiErrorsAlarm",
        "The HTTP API answered more than one of a hundred requests with a 5xx status, in two of three minutes.",
        api("5XXError", "Average"),
        threshold=0.01,
        minutes=3,
        datapoints=2,
        essential=True,
    ),
    # GET .../events?wait= takes up to 20 seconds by design, and API Gateway measures all routes as one.
    Alarm(
        "ApiLatencyAlarm",
        "One of a hundred answers of the HTTP API takes over 22 seconds, longer than the longest wait for events.",
        api("Latency", "p99"),
        threshold=22_000,
        minutes=5,
        datapoints=3,
    ),
    Alarm(
        "FrontDoorErrorsAlarm",
        "CloudFront answers more than one of a hundred requests with a 5xx status; the API itself may be well.",
        front_door("5xxErrorRate"),
        threshold=1,
        minutes=5,
        datapoints=3,
        condition="FrontDoorAlarms",
    ),
)

_SOCKETS = (
    Alarm(
        "SocketErrorsAlarm",
        "Functions of the sockets crash or time out in two of five minutes; handshakes, actions or frames are lost.",
        **total(
            *map(function, ("WebsocketConnect", "WebsocketMessage", "WebsocketDisconnect", "ReplayStreams", "FanOut"))
        ),
        minutes=5,
        datapoints=2,
    ),
    # One slow client among many is its own fault. With most of them late, the engine or API Gateway is.
    Alarm(
        "LateFramesAlarm",
        "More than half of the pushes find their socket too slow, at least three in a minute.",
        {"late": engine("FramesLate"), "pushed": engine("FramesPushed")},
        "IF(FILL(late, 0) >= 3, 100 * FILL(late, 0) / (FILL(late, 0) + FILL(pushed, 0)), 0)",
        threshold=50,
        minutes=5,
        datapoints=2,
    ),
    Alarm(
        "ClosedSocketsAlarm",
        "The engine closes more than three sockets a minute as too slow, in two of five minutes.",
        engine("SocketsClosed"),
        threshold=3,
        minutes=5,
        datapoints=2,
    ),
    Alarm(
        "ReplayDeadLettersAlarm",
        "Stream replays failed ten times; their subscribers miss frames until they reconnect.",
        queue("ReplayDeadLettersQueue"),
    ),
    Alarm(
        "FanOutDeadLettersAlarm",
        "Groups of subscribers could not be served; their members miss frames until the order's next event.",
        queue("FanOutDeadLettersQueue"),
    ),
)

_LIMITS = (
    # The account's concurrency starves these three first, or their throttles use up the deliveries of messages.
    Alarm(
        "ThrottlesAlarm",
        "Lambda refuses to run the API, the processor or the looks, in two of five minutes: concurrency is used up.",
        **total(*(function(name, "Throttles") for name in ("APIHandler", "ProcessOrders", "RunLooks"))),
        minutes=5,
        datapoints=2,
    ),
    # The tables that an order writes to, and the two indexes that all open orders share. The SDK repeats a throttled
    # request; what it cannot mend is a caught failure. An alarm takes ten metrics.
    Alarm(
        "TableThrottlesAlarm",
        "DynamoDB throttles writes in three of five minutes: a key or an index takes more than a partition can.",
        **total(
            *(table(name, _WRITES) for name in ("OrdersTable", "LedgerTable", "RateLimitTable")),
            *(table(name, _WRITES) for name in ("StreamsTable", "IdempotencyTable", "MarketTable", "ApiKeysTable")),
            *(table("OrdersTable", _WRITES, index) for index in ("attention", "waiting")),
            table("OrdersTable", "ReadThrottleEvents"),
        ),
        minutes=5,
        datapoints=3,
    ),
)

TRAFFIC_ALARMS = (*_API, *_SOCKETS, *_LIMITS)
