"""The messages of the fan-out queue: a group of an order's subscribers."""

from chalicelib.codec.exact_json import dumps
from chalicelib.codec.messages import VERSION, PoisonMessageError, read_message
from chalicelib.ports.fan_out import GroupMessage


def group_message(order_id: str, number: int) -> str:
    return dumps({"v": VERSION, "orderId": order_id, "group": number})


def read_group_message(body: str) -> GroupMessage:
    """:raises PoisonMessageError: if the body names no group."""
    data = read_message(body)
    order_id, number = data.get("orderId"), data.get("group")
    if not isinstance(order_id, str) or not isinstance(number, int):
        raise PoisonMessageError("not a group message")
    return GroupMessage(order_id, number)
