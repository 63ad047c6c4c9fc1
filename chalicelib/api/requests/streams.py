"""Streams and cancellations as a client asks for them, in the address of a socket or on it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.errors import InvalidOrderError, bad_field
from chalicelib.api.problems import malformed, well_formed
from chalicelib.api.requests.conditions import Time
from chalicelib.api.requests.fields import OrderId, RequestModel, UserId, validated
from chalicelib.api.requests.numbers import Seq
from chalicelib.api.requests.queries import repeated_parameters
from chalicelib.clock import MAX_CLOCK_DIFFERENCE

_INVALID_STREAM = "The requested stream is not valid."


def _not_ahead(value: datetime, info: ValidationInfo) -> datetime:
    now: datetime = (info.context or {})["now"]
    if value > now + MAX_CLOCK_DIFFERENCE:
        raise bad_field(FieldCode.TIME_OUT_OF_RANGE, "must not be in the future")
    return value


#: A time that is not in the future. The validation context has ``now``.
PastTime = Annotated[Time, AfterValidator(_not_ahead)]


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


class PositionModel(RequestModel):
    """Where a stream begins: that of an order at ``afterSeq + 1``, that of a user with every event since a time.

    The fields come after those that name the stream.
    """

    after_seq: Seq = Field(0, alias="afterSeq")
    since: PastTime | None = None

    @field_validator("after_seq")
    @classmethod
    def _check_order(cls, value: int, info: ValidationInfo) -> int:
        if value and _is_absent("order_id", info):
            raise bad_field(FieldCode.NOT_ALLOWED, "is for the stream of an order; a user's begins at since")
        return value

    @field_validator("since")
    @classmethod
    def _check_user(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is not None and _is_absent("user_id", info):
            raise bad_field(FieldCode.NOT_ALLOWED, "is for the stream of a user; an order's begins at afterSeq")
        return value


def _is_absent(name: str, info: ValidationInfo) -> bool:
    """True if the request does not have this id. An invalid or missing id has an error of its own."""
    return {"order_id", "user_id"} <= info.data.keys() and info.data[name] is None


class StreamModel(PositionModel, OneOrAllModel):
    """The stream of an order or of a user."""


class EmptyModel(RequestModel):
    """A request that has no fields: for a stream ticket, and a ping."""


class NoneOrOneModel(RequestModel):
    """An order, all orders of a user, or neither."""

    order_id: OrderId | None = Field(None, alias="orderId")
    user_id: UserId | None = Field(None, alias="userId")

    @field_validator("user_id")
    @classmethod
    def _check_one_stream(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("order_id") is not None:
            raise bad_field(FieldCode.ORDER_OR_USER, "give either orderId or userId")
        return value


class HandshakeModel(PositionModel, NoneOrOneModel):
    """The query of a handshake: at most one stream, where it begins, and the grain of the frames.

    ``streaming.handshakes`` reads the ``token``.
    """

    statuses: Literal["coarse"] | None = None
    token: str | None = None

    @property
    def asks_for_stream(self) -> bool:
        return self.order_id is not None or self.user_id is not None


def read_cancel(wanted: Mapping[str, Any]) -> OneOrAllModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(OneOrAllModel, wanted, "The order to cancel is not valid.", ProblemCode.INVALID_CANCEL)


def read_stream(wanted: Mapping[str, Any], now: datetime) -> StreamModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(StreamModel, wanted, _INVALID_STREAM, ProblemCode.INVALID_STREAM, now=now)


def read_left_stream(wanted: Mapping[str, Any]) -> OneOrAllModel:
    """The stream that a connection leaves.

    :raises ProblemError: 400 naming every bad field.
    """
    return well_formed(OneOrAllModel, wanted, _INVALID_STREAM, ProblemCode.INVALID_STREAM)


def read_ping(wanted: Mapping[str, Any]) -> None:
    """:raises ProblemError: 400 naming every field: a ping has none."""
    well_formed(EmptyModel, wanted, "The ping is not valid.", ProblemCode.MALFORMED_REQUEST)


def read_handshake(query: Mapping[str, Sequence[str]], now: datetime) -> HandshakeModel:
    """:raises ProblemError: 400 naming every bad parameter."""
    repeated = repeated_parameters(query)
    try:
        handshake = validated(HandshakeModel, {name: values[-1] for name, values in query.items()}, now=now)
    except InvalidOrderError as error:
        named = {one.field for one in repeated}
        others = [one for one in error.errors if one.field not in named]
        raise malformed(_INVALID_STREAM, ProblemCode.INVALID_STREAM, [*repeated, *others]) from None
    if repeated:
        raise malformed(_INVALID_STREAM, ProblemCode.INVALID_STREAM, repeated)
    return handshake
