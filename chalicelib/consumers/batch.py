"""Working through a batch from SQS: side by side, and each message failed or done for itself."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any

from chalicelib.codec.messages import PoisonMessageError

log = logging.getLogger(__name__)

Record = Mapping[str, Any]
#: Keeps the message of a receipt from being delivered again for so many seconds.
Hold = Callable[[str, int], None]

#: A failed message comes again after this long, and each time twice as long: five receives, after which it is a dead
#: letter, outlast an outage of some minutes.
FAILED_SECONDS = 15


def work_through(
    event: Mapping[str, Any],
    handle: Callable[[Record], float | None],
    hold: Hold,
) -> dict[str, list[dict[str, str]]]:
    """Handle every record; the answer names those that SQS shall deliver again.

    ``handle`` returns ``None`` when a record is done with, or in how many seconds it wants it again. An exception
    never leaves this function, as it would end the worker; its record comes again after ``FAILED_SECONDS`` and more.
    """

    def failed(record: Record) -> bool:
        try:
            seconds = handle(record)
            if seconds is None:
                return False
            hold(record["receiptHandle"], ceil(seconds))
        except PoisonMessageError:
            # On to the dead letters without waiting; the order itself, if there is one, is the watchdog's.
            log.exception("poison message", extra={"messageId": record["messageId"], "body": record["body"][:500]})
            try_hold(hold, record, 0)
        except Exception:
            log.exception("message failed", extra={"messageId": record["messageId"]})
            receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
            try_hold(hold, record, FAILED_SECONDS * 2 ** (receives - 1))
        return True

    records: list[Record] = event["Records"]
    if len(records) == 1:
        outcomes = [failed(records[0])]
    else:
        with ThreadPoolExecutor(len(records) or 1) as pool:
            outcomes = list(pool.map(failed, records))
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]}
            for record, outcome in zip(records, outcomes, strict=True)
            if outcome
        ]
    }


def try_hold(hold: Hold, record: Record, seconds: int) -> None:
    """Hold a message if that can be done; the queue's visibility timeout stands where it cannot."""
    try:
        hold(record["receiptHandle"], seconds)
    except Exception:
        log.exception("message not held", extra={"messageId": record["messageId"]})
