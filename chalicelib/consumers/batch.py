"""Processing of a batch from SQS: in parallel, and each message fails or succeeds for itself."""

import logging
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from chalicelib.codec.messages import PoisonMessageError
from chalicelib.observability import operations as observe
from chalicelib.observability.streams import entry
from chalicelib.threads import threads

log = logging.getLogger(__name__)

Record = Mapping[str, Any]
BatchResult = dict[str, list[dict[str, str]]]
#: Processes a record. Returns ``None`` when it is done, or the seconds after which to deliver it again.
Handler = Callable[[Record], float | None]
#: Keeps the queue from delivering the message of a receipt for some seconds.
Hold = Callable[[str, int], None]

#: Pause after a first failure; each further failure doubles it. Five receives, after which SQS moves the message to
#: the dead-letter queue, outlast an outage of some minutes.
FAILURE_PAUSE_SECONDS = 15
#: The longest pause. Ten receives, as the queues of the streams allow, end within the retention of these queues.
MAX_FAILURE_PAUSE_SECONDS = 600


def process_batch(event: Mapping[str, Any], handle: Handler, hold: Hold) -> BatchResult:
    """Handle every record; the result names those that SQS must deliver again."""
    records: list[Record] = event["Records"]
    if len(records) == 1:
        done = [process_record(records[0], handle, hold)]
    else:
        with threads(len(records) or 1, "record") as pool:
            done = list(pool.map(lambda record: process_record(record, handle, hold), records))
    failed = [record for record, is_done in zip(records, done, strict=True) if not is_done]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def process_record(record: Record, handle: Handler, hold: Hold) -> bool:
    """Handle one record; returns whether it is done.

    No exception leaves this function, because it would end the worker. SQS delivers the record of a failed handler
    again after ``FAILURE_PAUSE_SECONDS`` and more.
    """
    with entry(messageId=record["messageId"]):
        return _process(record, handle, hold)


def _process(record: Record, handle: Handler, hold: Hold) -> bool:
    try:
        seconds = handle(record)
        if seconds is None:
            return True
        hold(record["receiptHandle"], ceil(seconds))
    except PoisonMessageError:
        # No pause on the way to the dead-letter queue; the watchdog takes care of the order, if there is one.
        observe.message_poisoned(record["body"])
        try_hold(hold, record, 0)
    except Exception:
        observe.message_failed()
        receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
        try_hold(hold, record, failure_pause_seconds(receives))
    return False


def failure_pause_seconds(receives: int) -> int:
    """The pause of a message that has failed at each of its receives."""
    return min(FAILURE_PAUSE_SECONDS << (receives - 1), MAX_FAILURE_PAUSE_SECONDS)


def try_hold(hold: Hold, record: Record, seconds: int) -> None:
    """Hold a message if possible; otherwise the queue's visibility timeout applies."""
    try:
        hold(record["receiptHandle"], seconds)
    except Exception:
        log.exception("message not held", extra={"messageId": record["messageId"]})
