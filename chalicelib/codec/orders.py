"""An order as plain data: its specification and its events, from which everything else follows."""

from decimal import Decimal
from typing import Any

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.times import from_text, to_text
from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.money import to_base_units, to_human_units
from chalicelib.domain.orders import Event, Order, OrderSpec, Priority
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Side, Token, any_token


def event_to_json(event: Event) -> str:
    return dumps(
        {
            "seq": event.seq,
            "status": event.status.value,
            "attempt": event.attempt,
            "at": to_text(event.at),
            "meta": event.meta,
        }
    )


def event_from_json(text: str) -> Event:
    """:raises ValueError, KeyError: if the text is not an event."""
    data = loads(text)
    return Event(data["seq"], Status(data["status"]), data["attempt"], from_text(data["at"]), data["meta"])


def spec_to_dict(spec: OrderSpec) -> dict[str, Any]:
    """The specification; ``amountIn`` is a ``Decimal`` in human units, what is absent is left out."""
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


def spec_from_dict(data: dict[str, Any]) -> OrderSpec:
    """:raises ValueError, KeyError: if the data is not a specification."""
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


def _token(text: str) -> Token:
    token = any_token(text)
    if token is None:
        raise KeyError(text)
    return token


def _decimal(number: Any) -> Decimal | None:
    return None if number is None else Decimal(number)


def _launch(data: dict[str, Any]) -> LaunchTerms | None:
    if not data.get("launchMint"):
        return None
    return LaunchTerms(
        mint=data["launchMint"],
        venue=data.get("launchVenue"),
        min_liquidity=_decimal(data.get("launchMinLiquidity")),
        max_price=_decimal(data.get("launchMaxPrice")),
    )


def order_to_dict(order: Order) -> dict[str, Any]:
    return {
        "orderId": order.order_id,
        "spec": spec_to_dict(order.spec),
        "events": [event_to_json(event) for event in order.events],
    }


def order_from_dict(data: dict[str, Any]) -> Order:
    """:raises ValueError, KeyError, RefusedError: if the data is not an order."""
    events = tuple(event_from_json(text) for text in data["events"])
    if not isinstance(data["orderId"], str):
        raise ValueError("an order id is text")
    return Order.replayed(data["orderId"], spec_from_dict(data["spec"]), events)
