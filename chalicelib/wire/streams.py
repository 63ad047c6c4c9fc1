"""What a client says on a socket, and which stream it asks for."""

from typing import Any

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.wire.fields import OrderId, UserId, WireModel

_MAX_SEQ = 10_000


class StreamModel(WireModel):
    """One stream: an order's, from ``afterSeq + 1`` on, or a user's."""

    order_id: OrderId | None = Field(None, alias="orderId")
    user_id: UserId | None = Field(None, alias="userId")
    after_seq: int = Field(0, alias="afterSeq", ge=0, le=_MAX_SEQ)

    @field_validator("after_seq", mode="before")
    @classmethod
    def _digits_are_a_number(cls, value: Any) -> Any:
        # In a query string every value is text.
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9:
            return int(value)
        return value

    @model_validator(mode="after")
    def _names_one_stream(self) -> "StreamModel":
        if (self.order_id is None) == (self.user_id is None):
            raise PydanticCustomError("stream_ambiguous", "give either orderId or userId")
        return self
