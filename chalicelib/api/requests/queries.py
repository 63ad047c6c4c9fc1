"""Query parameters, whose values are all text."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import FieldError, bad_field
from chalicelib.api.requests.conditions import Time
from chalicelib.api.requests.fields import OrderId, RequestModel, UserId, has_replacement, printable
from chalicelib.api.requests.numbers import Digits, Seq
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import find_market
from chalicelib.ports.event_waits import MAX_WAIT_SECONDS
from chalicelib.ports.history import OrderFilter

_MAX_PAGE = 200


def repeated_parameters(query: Mapping[str, Sequence[str]]) -> list[FieldError]:
    """The errors of the parameters that have more than one value: none of them is the one that the client means."""
    return [
        FieldError(name, FieldCode.REPEATED, "is given more than once")
        for name, values in query.items()
        if len(values) > 1
    ]


class OrderIdModel(RequestModel):
    """The id in a path."""

    order_id: OrderId = Field(alias="orderId")


class UserModel(RequestModel):
    """The user whose orders a call concerns."""

    user_id: UserId = Field(alias="userId")


class RecordModel(RequestModel):
    """The event after which the record is wanted; absent, the last one."""

    at_seq: Seq | None = Field(None, alias="atSeq", ge=1)


class EventsModel(RequestModel):
    """The position in an order's events, and the seconds to wait for the first event after it."""

    after_seq: Seq = Field(0, alias="afterSeq")
    wait: Digits = Field(0, ge=0, le=MAX_WAIT_SECONDS)


class StatsModel(RequestModel):
    """The orders that the statistics are about: all users' or one user's, accepted in a window."""

    user_id: UserId | None = Field(None, alias="userId")
    since: Time | None = Field(None, alias="from")
    until: Time | None = Field(None, alias="to")

    @field_validator("until")
    @classmethod
    def _check_window(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if value is not None and since is not None and value <= since:
            raise bad_field(FieldCode.WINDOW_EMPTY, "must be after from")
        return value


class ListModel(RequestModel):
    """The filters and the page of the list of orders."""

    user_id: UserId | None = Field(None, alias="userId")
    status: Status | None = Field(None, strict=False)
    type: OrderType | None = Field(None, strict=False)
    pair: str | None = None
    client_order_id: str | None = Field(None, alias="clientOrderId", max_length=255)
    since: Time | None = Field(None, alias="from")
    until: Time | None = Field(None, alias="to")
    updated_since: Time | None = Field(None, alias="updatedSince")
    limit: Digits = Field(50, ge=1, le=_MAX_PAGE)
    cursor: str | None = Field(None, max_length=512)

    _check_client_order_id = field_validator("client_order_id")(printable)

    @field_validator("client_order_id")
    @classmethod
    def _check_encoding(cls, value: str | None) -> str | None:
        if value is not None and has_replacement(value):
            raise bad_field(FieldCode.STRING_UNICODE, "must be UTF-8 text without U+FFFD")
        return value

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
