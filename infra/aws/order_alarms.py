"""The alarms of orders and their messages.

Periods are minutes: a fault rings within minutes, and a hiccup of one minute does not ring. "3 of 5" rings at the
third bad minute of the last five, which is longer than a retry needs, and shorter than a message lasts.
"""

from chalicelib.settings import MAX_DELAY_SECONDS
from infra.aws.alarms import Alarm, total
from infra.aws.metrics import engine, function, queue

ORDER_ALARMS = (
    # The handler takes a letter at once. One that it fails to close is hidden between two tries, hence the sum.
    Alarm(
        "DeadLettersAlarm",
        "Messages stay in the dead-letter queue: its handler, which takes them at once, fails or is throttled.",
        **total(queue("DeadLettersQueue"), queue("DeadLettersQueue", "ApproximateNumberOfMessagesNotVisible")),
        minutes=5,
        datapoints=3,
    ),
    # Every one counts: an order of a user has failed by a fault of the engine. Invocations of the handler would count
    # the letters too that it only queues again.
    Alarm(
        "ExhaustedOrdersAlarm",
        "Messages used up their five deliveries, and their orders are closed as failed with QUEUE_EXHAUSTED.",
        engine("OrdersFailed", Code="QUEUE_EXHAUSTED"),
        essential=True,
    ),
    Alarm(
        "UnprocessableMessagesAlarm",
        "The unprocessable queue holds dead letters that name no order to close.",
        queue("UnprocessableQueue"),
        essential=True,
    ),
    # Nothing starts. The age runs from the sending, so it has the delay of an order that the rate limit delays, which
    # RATE_HORIZON_SECONDS bounds. QueueWaitAlarm and OverdueOrdersAlarm show shorter waits. SQS leaves out of this
    # age what was received three times, which FailedMessagesAlarm shows.
    Alarm(
        "OldestOrderAlarm",
        "Orders wait in the orders queue for five minutes longer than the rate limit may delay them.",
        queue("OrdersQueue", "ApproximateAgeOfOldestMessage"),
        threshold=MAX_DELAY_SECONDS + 300,
        minutes=3,
        essential=True,
    ),
    # Orders start, and late: a burst may fill the ten slots for a minute or two.
    Alarm(
        "QueueWaitAlarm",
        "One of twenty orders waits for over 15 seconds until a worker starts it, though it may start.",
        engine("QueueWait", "p95"),
        threshold=15_000,
        minutes=5,
        datapoints=3,
    ),
    # The engine catches what it can foresee; Lambda ends no healthy worker.
    Alarm(
        "ProcessorErrorsAlarm",
        "The processor crashed or timed out. Failed orders do not count as errors.",
        function("ProcessOrders"),
        essential=True,
    ),
    # A message that fails once is tried again after 15, 30, 60 and 120 seconds. These are three minutes, so one that
    # fails at every try rings by its last delivery.
    Alarm(
        "FailedMessagesAlarm",
        "Messages of the queues fail and go back, in three of five minutes.",
        engine("MessagesFailed"),
        minutes=5,
        datapoints=3,
    ),
    Alarm(
        "CaughtFailuresAlarm",
        "The engine logs errors in three of five minutes: failures that it catches, and no other alarm may show.",
        engine("CaughtFailures"),
        minutes=5,
        datapoints=3,
        essential=True,
    ),
    # Some orders fail by their own terms (slippage, liquidity); with five in a minute their share says something.
    Alarm(
        "FailedOrdersAlarm",
        "More than half of the orders fail, at least five in a minute: a venue or the market is away.",
        {"failed": engine("OrdersEnded", Outcome="failed"), "confirmed": engine("OrdersEnded", Outcome="confirmed")},
        "IF(FILL(failed, 0) >= 5, 100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(confirmed, 0)), 0)",
        threshold=50,
        minutes=5,
        datapoints=3,
    ),
    # The watchdog moves an order on at the first look after its deadline, and again after ever longer pauses. A
    # worker that dies costs one of these minutes; an order that nothing moves is found in four of the first ten.
    Alarm(
        "OverdueOrdersAlarm",
        "Orders are past their deadline in three of ten minutes: the watchdog finds them, and they stay there.",
        engine("OrdersOverdue", "Maximum"),
        minutes=10,
        datapoints=3,
        essential=True,
    ),
    Alarm(
        "ResentOrdersAlarm",
        "The watchdog queues orders again in three of ten minutes: workers die, or messages are lost.",
        engine("OrdersResent"),
        minutes=10,
        datapoints=3,
    ),
)
