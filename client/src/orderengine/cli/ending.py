"""Following one order to its end: its steps, its record, and the exit code that its outcome has."""

from contextlib import closing

from orderengine import Client, Order
from orderengine.cli import exits, orders_text
from orderengine.cli.going_on import watching
from orderengine.cli.record import show_record
from orderengine.cli.settings import Settings
from orderengine.cli.step_bar import show_live


def show_steps(settings: Settings, client: Client, order_id: str, after: int, coarse: bool = False) -> int:
    """Show each event of an order to its last one: as a step bar, or as a frame a line."""
    if not settings.out.is_json:
        return _show_bar(settings, client, order_id, coarse)
    last, phase = after, ""
    with watching(settings, order_id, lambda: last):
        for update in client.watch(order_id, after=after, coarse=coarse, timeout=settings.timeout):
            settings.out.frame(orders_text.frame(update))
            last, phase = update.seq, update.phase
    return exits.of_phase(phase)


def _show_bar(settings: Settings, client: Client, order_id: str, coarse: bool) -> int:
    """A bar needs every event from the first on, whichever the user has seen."""
    with watching(settings, order_id, lambda: 0):
        title = f"{orders_text.terms(client.order(order_id))}   {order_id}"
        updates = client.watch(order_id, coarse=coarse, timeout=settings.timeout)
        with closing(show_live(settings.out, title, updates)) as shown:
            for _ in shown:
                pass
    order = client.order(order_id)
    settings.out.facts(_result(order))
    return exits.of_phase(order.phase)


def show_end(settings: Settings, order: Order) -> int:
    """Show the record of an order that is over."""
    show_record(settings.out, order)
    return exits.of_phase(order.phase)


def _result(order: Order) -> dict[str, object]:
    names = ("status", "why", "got", "price", "venue", "at least", "transaction")
    facts = orders_text.facts(order)
    return {name: facts[name] for name in names}
