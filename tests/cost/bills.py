"""The bill of one order, from the invocations that were measured."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.cost.doors import API, CONNECT, CONSUMERS, MESSAGE
from tests.cost.durations import gb_seconds
from tests.cost.prices import GB, Bill
from tests.cost.site import Invocation

_CONSUMERS = {function for function, _ in CONSUMERS.values()}
#: Lambda receives a message for the function and deletes it afterwards.
_POLLER_REQUESTS = 2
#: The lines with which Lambda itself reports the start and the end of an invocation, as JSON.
PLATFORM_LOG_BYTES = 550
#: A socket that follows one order is open for less than this.
_SOCKET_MINUTES = 1


@dataclass(frozen=True)
class Totals:
    """What one order of a kind uses, as the table of the document shows it."""

    kind: str
    invocations: int
    aws_calls: int
    write_units: int
    read_units: float
    sqs_requests: int
    pushes: int
    log_bytes: int
    gb_seconds: float


def totals(kind: str, invocations: Sequence[Invocation]) -> Totals:
    return Totals(
        kind=kind,
        invocations=len(invocations),
        aws_calls=sum(sum(one.usage.calls.values()) for one in invocations),
        write_units=sum(one.usage.write_units for one in invocations),
        read_units=sum(one.usage.read_units for one in invocations),
        sqs_requests=sum(_sqs_requests(one) for one in invocations),
        pushes=sum(one.pushes for one in invocations),
        log_bytes=sum(one.log_bytes + PLATFORM_LOG_BYTES for one in invocations),
        gb_seconds=sum(gb_seconds(kind, one) for one in invocations),
    )


def bill(kind: str, invocations: Sequence[Invocation], **memory: int) -> Bill:
    """The amounts of one order of a kind; ``memory`` replaces the memory of functions, in MB."""
    amounts: Counter[str] = Counter()
    for one in invocations:
        add: Any = amounts
        add["lambda.gb_second.x86"] += gb_seconds(kind, one, memory.get(one.function))
        add["lambda.request"] += 1
        add["dynamodb.write_unit"] += one.usage.write_units
        add["dynamodb.read_unit"] += one.usage.read_units
        add["sqs.request"] += _sqs_requests(one)
        add["websocket.message"] += one.pushes + (one.function == MESSAGE)
        add["websocket.minute"] += _SOCKET_MINUTES * (one.function == CONNECT)
        add["rest.request"] += one.function == API
        # The front door takes requests and handshakes.
        at_the_door = one.function in (API, CONNECT)
        add["cloudfront.request"] += at_the_door
        add["cloudfront.function"] += at_the_door
        add["logs.gb"] += (one.log_bytes + PLATFORM_LOG_BYTES) / GB
    return Bill(amounts)


def _sqs_requests(one: Invocation) -> int:
    return one.usage.number("sqs") + _POLLER_REQUESTS * (one.function in _CONSUMERS)
