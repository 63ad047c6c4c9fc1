"""Query parameters, whose values are all text."""

from datetime import datetime

from pydantic import Field, field_validator

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import bad_field
from chalicelib.api.requests.fields import OrderId, RequestModel, UserId, printable
from chalicelib.codec.times import from_text
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import find_market
from chalicelib.ports.history import OrderFilter

_MAX_PAGE = 200


class OrderIdModel(RequestModel):
    """The id in a path."""

    order_id: OrderId = Field(alias="orderId")


class UserModel(RequestModel):
    """The user whose orders a call concerns."""

    user_id: UserId = Field(alias="userId")


class EventsModel(RequestModel):
    """The position in an order's events."""

    after_seq: int = Field(0, alias="afterSeq", ge=0, strict=False)


class ListModel(RequestModel):
    """The filters and the page of the list of orders."""

    user_id: UserId | None = Field(None, alias="userId")
    status: Status | None = Field(None, strict=False)
    type: OrderType | None = Field(None, strict=False)
    pair: str | None = None
    client_order_id: str | None = Field(None, alias="clientOrderId", max_length=255)
    since: datetime | None = Field(None, alias="from")
    until: datetime | None = Field(None, alias="to")
    updated_since: datetime | None = Field(None, alias="updatedSince")
    limit: int = Field(50, ge=1, le=_MAX_PAGE, strict=False)
    cursor: str | None = Field(None, max_length=512)

    @field_validator("since", "until", "updated_since", mode="before")
    @classmethod
    def _check_time(cls, value: str) -> datetime:
        try:
            return from_text(value)
        except ValueError:
            raise bad_field(FieldCode.TIME_INVALID, "must be an RFC 3339 time with a zone") from None

    _check_client_order_id = field_validator("client_order_id")(printable)

    @field_validator("pair")
    @classmethod
    def _check_pair(cls, value: str | None) -> str | None:
        if value is None:
            return None
        pair = find_market(value)
        if pair is None:
            raise bad_field(FieldCode.PAIR_UNKNOWN, "must be two tokens with a market, as in SOL/USDC")
        return pair.name

    def as_filter(self) -> OrderFilter:
        return OrderFilter(
            user_id=self.user_id,
            status=self.status,
            type=self.type,
            pair=self.pair,
            client_order_id=self.client_order_id,
            since=self.since,
            until=self.until,
            updated_since=self.updated_since,
        )
