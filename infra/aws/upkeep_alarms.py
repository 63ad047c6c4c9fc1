"""The alarms of what follows the orders: the history, and the looks of the market watcher and the watchdog.

``order_alarms`` says how long a fault lasts.
"""

from infra.aws.alarms import Alarm
from infra.aws.metrics import engine, function

_HISTORY = (
    # A failover of a database takes a minute or two, and no trade waits for it. The lag counts from an order's
    # acceptance, so one minute with an old limit order says nothing.
    Alarm(
        "HistoryLagAlarm",
        "Postgres lacks an order that has ended and is older than five minutes, in three of five minutes.",
        engine("HistoryLagSeconds", "Maximum"),
        threshold=300,
        minutes=5,
        datapoints=3,
        essential=True,
    ),
    Alarm(
        "HistoryFailuresAlarm",
        "Orders cannot be recorded in Postgres, in three of five minutes.",
        engine("HistoryFailed"),
        minutes=5,
        datapoints=3,
    ),
)

_LOOKS = (
    # A single failed look is made good by the next one, seconds later.
    Alarm(
        "LookErrorsAlarm",
        "Looks of the market watcher or the watchdog failed in three minutes in a row; open orders trigger late, or "
        "lost orders stay lost.",
        function("RunLooks"),
        minutes=3,
        essential=True,
    ),
    Alarm(
        "LooksMissingAlarm",
        "No look has run for five minutes; open orders neither trigger nor expire by schedule, and lost orders stay "
        "lost.",
        function("RunLooks", "Invocations"),
        threshold=1,
        minutes=5,
        missing=True,
        essential=True,
    ),
    # SQS delivers a look again after its worker died, and the engine then skips it: a single one is no fault.
    Alarm(
        "LateLooksAlarm",
        "Looks come so late that newer ones replace them, in three of five minutes; open orders trigger late.",
        engine("LooksSkipped"),
        minutes=5,
        datapoints=3,
    ),
)

UPKEEP_ALARMS = (*_HISTORY, *_LOOKS)
