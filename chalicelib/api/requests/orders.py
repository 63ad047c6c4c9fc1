"""An order as a client writes it, validated field by field so that the answer names every bad field at once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import InvalidOrderError, bad_field
from chalicelib.api.requests.conditions import ConditionsModel
from chalicelib.api.requests.fields import UserId, printable, validated
from chalicelib.api.requests.rules import RequestRules
from chalicelib.api.requests.slippage import SlippageModel
from chalicelib.domain.identity import Caller
from chalicelib.domain.spec import OrderSpec, Priority
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import Side, Token, any_token, find_pair, find_token, side_of

_DEFAULT_SLIPPAGE_BPS = 100


class OrderModel(SlippageModel, ConditionsModel):
    """The wire form of an order."""

    #: Absent, the order belongs to the caller.
    user_id: UserId = Field("", alias="userId")
    side: Side | None = Field(None, strict=False)
    priority: Priority = Field(Priority.NORMAL, strict=False)
    client_order_id: str | None = Field(None, alias="clientOrderId", min_length=1, max_length=255)
    simulate: str | None = Field(None, max_length=64)

    _check_client_order_id = field_validator("client_order_id")(printable)

    @field_validator("side")
    @classmethod
    def _check_side(cls, value: Side | None, info: ValidationInfo) -> Side | None:
        token_in, token_out = find_token(info.data.get("token_in", "")), any_token(info.data.get("token_out", ""))
        pair = find_pair(token_in, token_out) if token_in and token_out else None
        if value and pair and token_in and value is not side_of(pair, token_in):
            raise bad_field(FieldCode.SIDE_CONTRADICTS, _side_message(pair.name, token_in, value))
        return value

    @field_validator("simulate")
    @classmethod
    def _check_fault(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        check_fault: Callable[[str], None] | None = (info.context or {})["check_fault"]
        if check_fault is None:
            raise bad_field(FieldCode.SIMULATE_REFUSED, "this deployment does not allow simulated faults")
        try:
            check_fault(value)
        except ValueError as error:
            raise bad_field(FieldCode.SIMULATE_UNKNOWN, str(error)) from None
        return value

    def spec(self, caller: Caller) -> OrderSpec:
        """The order as a specification."""
        token_in, token_out, pair = self.tokens
        bps = self.tolerance_bps
        return OrderSpec(
            user_id=self.user_id or caller.user_id,
            type=self.type,
            side=side_of(pair, token_in),
            token_in=token_in,
            token_out=token_out,
            amount_in=self.amount_in_base,
            slippage_bps=_DEFAULT_SLIPPAGE_BPS if bps is None else bps,
            # A launch is worth little to an order that waits in a queue.
            priority=Priority.HIGH if self.type is OrderType.SNIPER else self.priority,
            client_order_id=self.client_order_id,
            simulate=self.simulate,
            limit_price=self.limit_price,
            launch=self.launch_terms,
            time_in_force=self.in_force,
            expires_at=self.expires_at,
        )


def read_order(body: Mapping[str, Any], caller: Caller, rules: RequestRules, now: datetime) -> OrderSpec:
    """The order of a request body; it belongs to the caller unless it names a user.

    An expiry in the past is accepted if it is the only error: submission judges it once the idempotency key is known
    to be new.

    :raises InvalidOrderError: naming every bad field.
    """
    context = {
        "check_fault": rules.check_fault,
        "venues": rules.venues,
        "launching": body.get("type") == OrderType.SNIPER,
        "now": now,
    }
    try:
        return validated(OrderModel, body, **context).spec(caller)
    except InvalidOrderError as error:
        if [bad.code for bad in error.errors] != [FieldCode.EXPIRY_PAST]:
            raise
    # The request may repeat an order whose expiry was in the future when it was accepted.
    return validated(OrderModel, body, **context, repeated=True).spec(caller)


def _side_message(pair: str, token_in: Token, value: Side) -> str:
    other = Side.SELL if value is Side.BUY else Side.BUY
    return f"paying with {token_in.symbol} is a {other.value} on {pair}"
