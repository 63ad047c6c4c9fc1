"""The consumer of the looks queue: the minute's schedule, and one look of the market watcher or the watchdog each."""

import logging
from collections.abc import Mapping
from typing import Any

from chalicelib.codec.looks import read_look_message
from chalicelib.engine import Engine
from chalicelib.ports.queues import LooksOfMinute, MarketLook, WatchdogLook

log = logging.getLogger(__name__)


def run_looks(engine: Engine, event: Mapping[str, Any]) -> None:
    """Run each look of an event (the queue's event source mapping sends one at a time).

    An exception leaves this function, so that it counts as an error of the function. SQS delivers the look again
    after the visibility timeout; by then it is late and skipped.

    :raises LookFailedError: if a part of a look failed.
    :raises PoisonMessageError: if a message is no look.
    """
    for record in event["Records"]:
        look = read_look_message(record["body"])
        if not isinstance(look, LooksOfMinute) and engine.schedule_looks.is_late(look):
            log.warning("late look skipped", extra={"kind": type(look).__name__, "dueMs": look.due_ms})
            continue
        match look:
            case LooksOfMinute():
                engine.schedule_looks()
            case MarketLook():
                engine.market.look()
            case WatchdogLook():
                engine.watchdog()
