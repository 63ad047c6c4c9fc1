"""The messages on the queues. Each carries a version; messages of version 1 are still read."""

from typing import Any

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.orders import UNREADABLE, order_from_dict, order_to_dict
from chalicelib.domain.errors import RefusedError
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.ports.orders import Followers, StoredOrder

VERSION = 2
_READABLE = (1, VERSION)


class PoisonMessageError(Exception):
    """The message can never be processed, however often the queue delivers it."""


def order_message(stored: StoredOrder) -> str:
    """The order as it is stored, so that the processor's first write needs no read before it.

    A stale copy is harmless: that write is conditional on ``seq``. Earlier releases ignore the reservation.
    """
    data = {"v": VERSION, "published": stored.published, "order": order_to_dict(stored.order)}
    if stored.followers is Followers.AWAITED:
        data["followers"] = stored.followers.value
    if held := stored.reservation:
        data["reservation"] = {"slot": held.slot, "atMs": held.at_ms, "ahead": held.ahead}
    return dumps(data)


def read_order_message(body: str) -> StoredOrder:
    """:raises PoisonMessageError: if the body is not an order message of a version that this code reads."""
    data = read_message(body)
    try:
        order, reservation = order_from_dict(data["order"]), _reservation(data.get("reservation"))
        followers = Followers(data.get("followers", ""))
        return StoredOrder(order, published=int(data["published"]), reservation=reservation, followers=followers)
    except (*UNREADABLE, RefusedError) as error:
        raise PoisonMessageError("not an order message") from error


def read_message(body: str) -> dict[str, Any]:
    """:raises PoisonMessageError: if the body is not a JSON object of a version that this code reads."""
    try:
        data = loads(body)
    except ValueError as error:
        raise PoisonMessageError("not JSON") from error
    if not isinstance(data, dict) or data.get("v") not in _READABLE:
        raise PoisonMessageError("not a message of a known version")
    return data


def _reservation(data: Any) -> SlotReservation | None:
    """The slot reservation of an order; ``None`` for an order without one, and in messages of earlier releases."""
    if data is None:
        return None
    return SlotReservation(int(data["slot"]), int(data["atMs"]), bool(data["ahead"]))
