"""The ids of what a function works on. Every line that the function logs carries them, also on its threads.

An entry is one request, socket action or message. Its ids are shared with the threads that work for it, so what one
of them notes is on the later lines of all. ``apart`` gives each of several orders ids of its own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from chalicelib.domain.orders import Order

#: The ids of the Lambda invocation, which all its entries have.
_OF_INVOCATION = frozenset({"awsRequestId"})
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class _Noted:
    """The ids of an entry, which its threads share. A note replaces them, as a thread may be reading the old ones."""

    ids: Mapping[str, str]


_noted: ContextVar[_Noted] = ContextVar("noted")
_frames: ContextVar[list[int]] = ContextVar("frames")


def ids() -> Mapping[str, str]:
    """The ids by the names that they have in log lines. What this returns does not change."""
    noted = _noted.get(None)
    return noted.ids if noted else _NONE


def trace_id() -> str | None:
    """The id that follows an order from its request to its end; ``None`` outside of an entry that has one."""
    return ids().get("traceId")


@contextmanager
def invocation(context: Any) -> Iterator[None]:
    """An invocation with this context of Lambda, which is ``None`` outside of Lambda."""
    aws_request_id = getattr(context, "aws_request_id", None)
    with _having({"awsRequestId": str(aws_request_id)} if aws_request_id else {}):
        yield


@contextmanager
def entry(**named: str) -> Iterator[list[int]]:
    """An entry with these ids alone. Yields the numbers of frames that sockets take during it."""
    invoked = {name: value for name, value in ids().items() if name in _OF_INVOCATION}
    frames: list[int] = []
    token = _frames.set(frames)
    try:
        with _having({**invoked, **named}):
            yield frames
    finally:
        _frames.reset(token)


@contextmanager
def apart(order: Order | None = None) -> Iterator[None]:
    """What is noted in this block, with ``order`` to begin with, is on no line of others."""
    with _having(ids()):
        if order:
            concerns(order)
        yield


def concerns(order: Order) -> None:
    """Note the order that the entry works on.

    A request keeps its own ``traceId``, by which its client knows it; a message takes that of its order.
    """
    if noted := _noted.get(None):
        noted.ids = {**ids_of(order), **noted.ids, "orderId": order.order_id}


def ids_of(order: Order) -> dict[str, str]:
    """The ids of a line about one order, whatever else the entry concerns."""
    named = {"orderId": order.order_id}
    return named | {"traceId": order.trace_id} if order.trace_id else named


def add_frames(number: int) -> bool:
    """Add frames to those of the entry. False outside of one."""
    frames = _frames.get(None)
    if frames is None:
        return False
    # Threads of the entry may do this side by side; appending is atomic.
    frames.append(number)
    return True


@contextmanager
def _having(named: Mapping[str, str]) -> Iterator[None]:
    token = _noted.set(_Noted(named))
    try:
        yield
    finally:
        _noted.reset(token)
