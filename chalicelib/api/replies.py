"""Answers to the messages of a client on a socket. Each repeats the ``requestId`` of its message, if there is one."""

from typing import Literal, NotRequired, TypedDict

from chalicelib.api.problems import ProblemFields
from chalicelib.api.responses.orders import CancellationBody, CancellationsBody


class AckFrame(TypedDict):
    """An order is placed, or a stream is joined or left. ``replayed``: the message repeats an earlier order."""

    type: Literal["ack"]
    requestId: NotRequired[str | int]
    action: Literal["execute_order", "subscribe", "unsubscribe"]
    orderId: NotRequired[str]
    userId: NotRequired[str]
    replayed: NotRequired[bool]


class CancelledFrame(CancellationBody):
    """An order is cancelled."""

    type: Literal["ack"]
    requestId: NotRequired[str | int]
    action: Literal["cancel_order"]


class AllCancelledFrame(CancellationsBody):
    """The orders of a user are cancelled, as far as they could be."""

    type: Literal["ack"]
    requestId: NotRequired[str | int]
    action: Literal["cancel_order"]
    userId: str


class PongFrame(TypedDict):
    """The answer to a ping."""

    type: Literal["pong"]
    requestId: NotRequired[str | int]
    at: str


class ErrorFrame(ProblemFields):
    """A problem. The socket stays open, but for a flood of messages and a credential that has ended."""

    type: Literal["error"]
    requestId: NotRequired[str | int]
