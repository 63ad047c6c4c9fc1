"""The consumer of the looks queue: requests for looks, and one look of the market watcher or the watchdog each."""

from collections.abc import Mapping
from typing import Any

from chalicelib.codec.looks import read_look_message
from chalicelib.codec.times import to_ms
from chalicelib.engine import Engine
from chalicelib.observability import operations as observe
from chalicelib.observability.streams import entry
from chalicelib.ports.queues import LooksFromNow, LooksOfMinute, MarketLook, WatchdogLook


def run_looks(engine: Engine, event: Mapping[str, Any]) -> None:
    """Run each look of an event (the queue's event source mapping sends one at a time).

    An exception leaves this function, so that it counts as an error of the function. SQS delivers the look again
    after the visibility timeout; by then it is late and skipped.

    :raises LookFailedError: if a part of a look failed.
    :raises PoisonMessageError: if a message is no look.
    """
    for record in event["Records"]:
        with entry(messageId=record["messageId"]):
            _run(engine, record)


def _run(engine: Engine, record: Mapping[str, Any]) -> None:
    look = read_look_message(record["body"])
    if isinstance(look, MarketLook | WatchdogLook) and engine.schedule_looks.is_late(look):
        observe.look_skipped(type(look).__name__, to_ms(engine.now()) - look.due_ms)
        return
    match look:
        case LooksOfMinute():
            engine.schedule_looks.of_minute()
        case LooksFromNow():
            engine.schedule_looks.from_now()
        case MarketLook():
            engine.market.look()
        case WatchdogLook():
            engine.watchdog()
            engine.read_gauges()
