"""Orders as JSON: the specification and the events, from which all other fields follow."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib.codec.events import event_from_json, event_to_json
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.times import from_text, to_text
from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.money import to_base_units, to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec, Priority
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import Side, Token, stored_token

#: The exceptions that reading a damaged order, event or message ends in.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
#: The form of a specification. Version 1 had the same fields as one attribute each.
VERSION = 2


def spec_to_dict(spec: OrderSpec) -> dict[str, Any]:
    """The specification without absent fields; ``amountIn`` is a ``Decimal`` in human units.

    Idempotency keys keep a hash of this form, so a change of it makes every key conflict for a day.
    """
    launch = spec.launch
    data = {
        "userId": spec.user_id,
        "type": spec.type.value,
        "side": spec.side.value,
        "tokenIn": spec.token_in.symbol,
        "tokenOut": spec.token_out.symbol,
        "amountIn": to_human_units(spec.amount_in, spec.token_in.decimals),
        "slippageBps": spec.slippage_bps,
        "priority": spec.priority.value,
        "clientOrderId": spec.client_order_id,
        "simulate": spec.simulate,
        "limitPrice": spec.limit_price,
        "timeInForce": spec.time_in_force and spec.time_in_force.value,
        "expiresAt": spec.expires_at and to_text(spec.expires_at),
        "launchMint": launch and launch.mint,
        "launchVenue": launch and launch.venue,
        "launchMinLiquidity": launch and launch.min_liquidity,
        "launchMaxPrice": launch and launch.max_price,
    }
    return {name: value for name, value in data.items() if value is not None}


def spec_from_dict(data: Mapping[str, Any]) -> OrderSpec:
    """:raises ValueError, LookupError, TypeError: if the data is not a specification."""
    token_in = _token(data["tokenIn"])
    time_in_force, expires_at = data.get("timeInForce"), data.get("expiresAt")
    return OrderSpec(
        user_id=data["userId"],
        type=OrderType(data["type"]),
        side=Side(data["side"]),
        token_in=token_in,
        token_out=_token(data["tokenOut"]),
        # JSON has no whole decimals: 2 comes back as an integer.
        amount_in=to_base_units(Decimal(data["amountIn"]), token_in.decimals),
        slippage_bps=int(data["slippageBps"]),
        priority=Priority(data["priority"]),
        client_order_id=data.get("clientOrderId"),
        simulate=data.get("simulate"),
        limit_price=_decimal(data.get("limitPrice")),
        launch=_launch(data),
        time_in_force=TimeInForce(time_in_force) if time_in_force else None,
        expires_at=from_text(expires_at) if expires_at else None,
    )


def spec_to_json(spec: OrderSpec) -> str:
    return dumps({"v": VERSION, **spec_to_dict(spec)})


def spec_from_json(text: str) -> OrderSpec:
    """:raises ValueError, LookupError, TypeError: if the text is not a specification of this version."""
    data = loads(text)
    if data["v"] != VERSION:
        raise ValueError(f"a specification of version {data['v']}")
    return spec_from_dict(data)


def order_to_dict(order: Order) -> dict[str, Any]:
    return {
        "orderId": order.order_id,
        "spec": spec_to_dict(order.placed_spec),
        "events": [event_to_json(event) for event in order.events],
    }


def order_from_dict(data: Mapping[str, Any]) -> Order:
    """:raises ValueError, LookupError, TypeError, RefusedError: if the data is not an order."""
    events = tuple(event_from_json(text) for text in data["events"])
    if not isinstance(data["orderId"], str):
        raise ValueError("an order id is text")
    return Order.replayed(data["orderId"], spec_from_dict(data["spec"]), events)


def _token(text: str) -> Token:
    token = stored_token(text)
    if token is None:
        raise LookupError(text)
    return token


def _decimal(number: Any) -> Decimal | None:
    return None if number is None else Decimal(number)


def _launch(data: Mapping[str, Any]) -> LaunchTerms | None:
    if not data.get("launchMint"):
        return None
    return LaunchTerms(
        mint=data["launchMint"],
        venue=data.get("launchVenue"),
        min_liquidity=_decimal(data.get("launchMinLiquidity")),
        max_price=_decimal(data.get("launchMaxPrice")),
    )
