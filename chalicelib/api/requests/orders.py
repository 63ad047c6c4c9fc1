"""An order as a client writes it, checked field by field so that every bad one is named at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.api.requests.conditions import TermsModel
from chalicelib.api.requests.fields import UserId, validated
from chalicelib.api.requests.slippage import SlippageModel
from chalicelib.domain.errors import InvalidOrderError
from chalicelib.domain.orders import OrderSpec, Priority
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import Side, Token, any_token, find_pair, find_token, side_of
from chalicelib.simulation.faults import Fault

ANONYMOUS = "anonymous"
_DEFAULT_SLIPPAGE_BPS = 100


class OrderModel(SlippageModel, TermsModel):
    """The wire form of an order."""

    user_id: UserId = Field(ANONYMOUS, alias="userId")
    side: Side | None = Field(None, strict=False)
    priority: Priority = Field(Priority.NORMAL, strict=False)
    client_order_id: str | None = Field(None, alias="clientOrderId", min_length=1, max_length=255)
    simulate: str | None = Field(None, max_length=64)

    @field_validator("client_order_id")
    @classmethod
    def _client_order_id_is_text(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise PydanticCustomError("not_printable", "must not hold control characters")
        return value

    @field_validator("side")
    @classmethod
    def _side_fits_the_pair(cls, value: Side | None, info: ValidationInfo) -> Side | None:
        token_in, token_out = find_token(info.data.get("token_in", "")), any_token(info.data.get("token_out", ""))
        pair = find_pair(token_in, token_out) if token_in and token_out else None
        if value and pair and token_in and value is not side_of(pair, token_in):
            raise PydanticCustomError(
                "side_contradicts", "paying with {symbol} is a {side}", _side_context(pair.name, token_in, value)
            )
        return value

    @field_validator("simulate")
    @classmethod
    def _fault_is_known(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if not (info.context or {}).get("simulation"):
            raise PydanticCustomError("simulate_refused", "this deployment does not allow simulated faults")
        try:
            Fault.parse(value)
        except ValueError as error:
            raise PydanticCustomError("simulate_unknown", "{reason}", {"reason": str(error)}) from None
        return value

    def spec(self) -> OrderSpec:
        """The order in the engine's terms."""
        token_in, token_out, pair = self.tokens
        bps = self.tolerance_bps
        return OrderSpec(
            user_id=self.user_id,
            type=self.type,
            side=side_of(pair, token_in),
            token_in=token_in,
            token_out=token_out,
            amount_in=self.amount_in_base,
            slippage_bps=_DEFAULT_SLIPPAGE_BPS if bps is None else bps,
            # Whoever waits for a launch is not to stand in line when it comes.
            priority=Priority.HIGH if self.type is OrderType.SNIPER else self.priority,
            client_order_id=self.client_order_id,
            simulate=self.simulate,
            limit_price=self.limit_price,
            launch=self.launch_terms,
            time_in_force=self.in_force,
            expires_at=self.expires_at,
        )


def read_order(body: Mapping[str, Any], *, simulation: bool, now: datetime) -> OrderSpec:
    """The order of a request body. Its date may have passed, if nothing else is wrong: ``PlanAcceptance`` judges that.

    :raises InvalidOrderError: naming every bad field.
    """
    context = {"simulation": simulation, "launching": body.get("type") == OrderType.SNIPER, "now": now}
    try:
        return validated(OrderModel, body, **context).spec()
    except InvalidOrderError as error:
        if [bad.code for bad in error.errors] != ["EXPIRY_PAST"]:
            raise
    # The date was right when the order came, if this one repeats it: who does so gets its answer, however late.
    return validated(OrderModel, body, **context, repeated=True).spec()


def _side_context(pair: str, token_in: Token, value: Side) -> dict[str, Any]:
    other = Side.SELL if value is Side.BUY else Side.BUY
    return {"symbol": token_in.symbol, "side": f"{other.value} on {pair}"}
