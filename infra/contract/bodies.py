"""The bodies of requests: an order by its type, an amendment, a market event, and the request for a ticket."""

from collections.abc import Sequence

from chalicelib.api.requests.amendments import AmendModel
from chalicelib.api.requests.conditions import LaunchModel
from chalicelib.api.requests.market_events import PoolModel, PriceModel
from chalicelib.api.requests.orders import OrderModel
from chalicelib.api.requests.streams import EmptyModel
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.status import OrderType
from infra.contract.answers import Components, Schema
from infra.contract.forms import MINT, REQUEST_FORMS
from infra.contract.requests import body_schema, given

#: The fields that some types of orders cannot have.
NOT_FOR = {
    OrderType.MARKET: ("limitPrice", "launch", "timeInForce", "expiresAt"),
    OrderType.LIMIT: ("launch",),
    OrderType.SNIPER: ("limitPrice",),
}
_WORDS = {
    OrderType.MARKET: "Executes now on the venue with the best output.",
    OrderType.LIMIT: "Waits until the whole of it can be filled at the limit price or better.",
    OrderType.SNIPER: "Waits for the launch of a mint that meets its filters.",
}


def request_bodies(components: Components) -> dict[str, Schema]:
    """References to the schemas of request bodies, by their names."""
    launch = add_launch(components)
    orders = {kind: order_schema(kind, launch) for kind in OrderType}
    price = body_schema(PriceModel, "The price of a pair.", values=_constant("price"))
    amendment = body_schema(AmendModel)
    has_change = {"anyOf": [given(name) for name in amendment["properties"]]}
    pool = body_schema(PoolModel, "A pool that opens.", values=_constant("pool_created"))
    named = {
        **{f"{kind.value.capitalize()}OrderRequest": schema for kind, schema in orders.items()},
        "AmendRequest": {**amendment, "allOf": [*amendment["allOf"], has_change]},
        "PriceRequest": price,
        "PoolRequest": pool,
        "TicketRequest": body_schema(EmptyModel),
    }
    found = {name: components.add(name, schema) for name, schema in named.items()}
    found["OrderRequest"] = {"oneOf": [found[f"{kind.value.capitalize()}OrderRequest"] for kind in OrderType]}
    found["MarketEventRequest"] = {"oneOf": [found["PriceRequest"], found["PoolRequest"]]}
    return found


def add_launch(components: Components) -> Schema:
    """Return a reference to the schema of a sniper order's filters."""
    return components.add("LaunchRequest", body_schema(LaunchModel))


def order_schema(kind: OrderType, launch: Schema) -> Schema:
    """The schema of an order of this type. A market order need not name its type."""
    values: dict[str, Schema] = {
        "type": {"type": "string", "const": kind.value, "description": "The type of the order."},
        "launch": {**launch, "description": "The filters of the launch. Absent, any launch of tokenOut."},
    }
    if kind is OrderType.SNIPER:
        allowed = [TimeInForce.GTC.value, TimeInForce.GTD.value]
        values["tokenOut"] = {
            "anyOf": [REQUEST_FORMS["tokenOut"], MINT],
            "description": "A token of the registry, or any mint.",
        }
        values["timeInForce"] = {"type": "string", "enum": allowed, "description": "GTC (the default) or GTD."}
    without = NOT_FOR[kind]
    required = {OrderType.MARKET: (), OrderType.LIMIT: ("type", "limitPrice"), OrderType.SNIPER: ("type",)}[kind]
    schema = body_schema(
        OrderModel,
        _WORDS[kind],
        without=without,
        required=required,
        values={name: value for name, value in values.items() if name not in without},
    )
    if "expiresAt" in without:
        return schema
    expiring = _if_in_force([TimeInForce.GTD], given("expiresAt"))
    unbounded = _if_in_force([TimeInForce.GTC, TimeInForce.IOC], {"not": given("expiresAt")})
    return {**schema, "allOf": [*schema["allOf"], expiring, unbounded]}


def _if_in_force(values: Sequence[TimeInForce], rule: Schema) -> Schema:
    """The rule for orders with one of these times in force."""
    named = {"required": ["timeInForce"], "properties": {"timeInForce": {"enum": [value.value for value in values]}}}
    return {"if": named, "then": rule}


def _constant(kind: str) -> dict[str, Schema]:
    return {"type": {"type": "string", "const": kind, "description": "The kind of event."}}
