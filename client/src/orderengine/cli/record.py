"""The record of an order, as every command shows it."""

from orderengine import Order
from orderengine.cli import orders_text
from orderengine.cli.output import Output


def show_record(out: Output, order: Order) -> None:
    """Show the record: as the engine sends it, or as facts for people."""
    if out.is_json:
        out.document(order.raw)
    else:
        out.facts(orders_text.facts(order))
