"""Streams and cancellations as a client asks for them, in the address of a socket or on it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.errors import InvalidOrderError, bad_field
from chalicelib.api.problems import malformed, well_formed
from chalicelib.api.requests.fields import OrderId, RequestModel, UserId, validated
from chalicelib.api.requests.numbers import Seq
from chalicelib.api.requests.queries import repeated_parameters

_INVALID_STREAM = "The requested stream is not valid."


class OneOrAllModel(RequestModel):
    """An order, or all orders of a user."""

    order_id: OrderId | None = Field(None, alias="orderId")
    user_id: UserId | None = Field(None, alias="userId", validate_default=True)

    @field_validator("user_id")
    @classmethod
    def _check_order_or_user(cls, value: str | None, info: ValidationInfo) -> str | None:
        # An invalid order id has an error of its own.
        if "order_id" in info.data and (info.data["order_id"] is None) == (value is None):
            raise bad_field(FieldCode.ORDER_OR_USER, "give either orderId or userId")
        return value


class StreamModel(OneOrAllModel):
    """The stream of an order, from ``afterSeq + 1`` on, or of a user."""

    after_seq: Seq = Field(0, alias="afterSeq")


class TicketModel(RequestModel):
    """The request for a stream ticket, which has no fields."""


class HandshakeModel(RequestModel):
    """The query of a handshake: at most one stream, from ``afterSeq + 1`` on, and the grain of the frames.

    ``streaming.handshakes`` reads the ``token``.
    """

    order_id: OrderId | None = Field(None, alias="orderId")
    user_id: UserId | None = Field(None, alias="userId")
    after_seq: Seq = Field(0, alias="afterSeq")
    statuses: Literal["coarse"] | None = None
    token: str | None = None

    @field_validator("user_id")
    @classmethod
    def _check_one_stream(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("order_id") is not None:
            raise bad_field(FieldCode.ORDER_OR_USER, "give either orderId or userId")
        return value

    @property
    def asks_for_stream(self) -> bool:
        return self.order_id is not None or self.user_id is not None


def read_cancel(wanted: Mapping[str, Any]) -> OneOrAllModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(OneOrAllModel, wanted, "The order to cancel is not valid.", ProblemCode.INVALID_CANCEL)


def read_stream(wanted: Mapping[str, Any]) -> StreamModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(StreamModel, wanted, _INVALID_STREAM, ProblemCode.INVALID_STREAM)


def read_handshake(query: Mapping[str, Sequence[str]]) -> HandshakeModel:
    """:raises ProblemError: 400 naming every bad parameter."""
    repeated = repeated_parameters(query)
    try:
        handshake = validated(HandshakeModel, {name: values[-1] for name, values in query.items()})
    except InvalidOrderError as error:
        named = {one.field for one in repeated}
        others = [one for one in error.errors if one.field not in named]
        raise malformed(_INVALID_STREAM, ProblemCode.INVALID_STREAM, [*repeated, *others]) from None
    if repeated:
        raise malformed(_INVALID_STREAM, ProblemCode.INVALID_STREAM, repeated)
    return handshake
