"""Streams and cancellations as a client asks for them on a socket."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.errors import bad_field
from chalicelib.api.problems import well_formed
from chalicelib.api.requests.fields import OrderId, RequestModel, UserId

_MAX_SEQ = 10_000


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

    after_seq: int = Field(0, alias="afterSeq", ge=0, le=_MAX_SEQ)

    @field_validator("after_seq", mode="before")
    @classmethod
    def _parse_digits(cls, value: Any) -> Any:
        # Every value in a query string is text.
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9:
            return int(value)
        return value


def read_cancel(wanted: Mapping[str, Any]) -> OneOrAllModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(OneOrAllModel, wanted, "The order to cancel is not valid.", ProblemCode.INVALID_CANCEL)


def read_stream(wanted: Mapping[str, Any]) -> StreamModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(StreamModel, wanted, "The requested stream is not valid.", ProblemCode.INVALID_STREAM)
