"""What a client says on a socket, and which stream it asks for."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.api.problems import well_formed
from chalicelib.api.requests.fields import OrderId, UserId, WireModel

_MAX_SEQ = 10_000


class OneOrAllModel(WireModel):
    """One order, or all of a user's."""

    order_id: OrderId | None = Field(None, alias="orderId")
    user_id: UserId | None = Field(None, alias="userId", validate_default=True)

    @field_validator("user_id")
    @classmethod
    def _names_one_of_the_two(cls, value: str | None, info: ValidationInfo) -> str | None:
        # An order id that is not valid has its own error.
        if "order_id" in info.data and (info.data["order_id"] is None) == (value is None):
            raise PydanticCustomError("order_or_user", "give either orderId or userId")
        return value


class StreamModel(OneOrAllModel):
    """One stream: an order's, from ``afterSeq + 1`` on, or a user's."""

    after_seq: int = Field(0, alias="afterSeq", ge=0, le=_MAX_SEQ)

    @field_validator("after_seq", mode="before")
    @classmethod
    def _digits_are_a_number(cls, value: Any) -> Any:
        # In a query string every value is text.
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9:
            return int(value)
        return value


def read_cancel(wanted: Mapping[str, Any]) -> OneOrAllModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(OneOrAllModel, wanted, "The order to cancel is not valid.", "INVALID_CANCEL")


def read_stream(wanted: Mapping[str, Any]) -> StreamModel:
    """:raises ProblemError: 400 naming every bad field."""
    return well_formed(StreamModel, wanted, "The stream asked for is not valid.", "INVALID_STREAM")
