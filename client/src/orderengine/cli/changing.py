"""``oe amend`` and ``oe cancel``."""

from typing import Any

import click

from orderengine.cli.command import Command
from orderengine.cli.exact_text import plain
from orderengine.cli.going_on import changing
from orderengine.cli.record import show_record
from orderengine.cli.settings import Settings
from orderengine.cli.values import Amount, Expiry, is_duration


@click.command(
    cls=Command,
    examples="""
oe amend 449d30f9-3ef6-4e9c-9547-0fe0168995e2 --limit 240
oe amend 449d30f9-3ef6-4e9c-9547-0fe0168995e2 --expires 2h --if-seq 2
""",
)
@click.argument("order_id", metavar="ID")
@click.option("--limit", "limit_price", type=Amount(), metavar="PRICE", help="New limit, quote per base.")
@click.option("--slippage", type=Amount(), metavar="PERCENT", help="New tolerance.")
@click.option("--expires", type=Expiry(), help="New end: 1h from now, or an RFC 3339 time.")
@click.option("--if-seq", type=click.IntRange(min=1), help="Only if this is still its last event.")
@click.pass_obj
def amend(settings: Settings, /, order_id: str, expires: str | None, **changes: Any) -> None:
    """Change an open order. It ends with 5 if the order is not open, or has changed since --if-seq."""
    if expires is None and changes["limit_price"] is None and changes["slippage"] is None:
        raise click.UsageError("nothing to change: give --limit, --slippage or --expires")
    if expires is not None:
        changes["expires_in" if is_duration(expires) else "expires_at"] = expires
    with settings.client() as client, changing(settings, "The change", ["get", order_id]):
        order = client.amend(order_id, **changes)
    show_record(settings.out, order)


@click.command(
    cls=Command,
    examples="""
oe cancel 449d30f9-3ef6-4e9c-9547-0fe0168995e2
oe cancel --all --user bot-1
""",
)
@click.argument("order_id", required=False, metavar="[ID]")
@click.option("--all", "is_all", is_flag=True, help="All open orders of the user.")
@click.pass_obj
def cancel(settings: Settings, /, order_id: str | None, is_all: bool) -> None:
    """Cancel an order, or all open ones. It ends with 5 if the order was submitted or over before."""
    if (order_id is None) != is_all:
        raise click.UsageError("give the ID of an order, or --all")
    with settings.client() as client:
        if order_id is None:
            with changing(settings, "The cancellation of some or all", ["ls", "--status", "open"]):
                cancelled = client.cancel_all()
            _cancel_all(settings, cancelled)
            return
        with changing(settings, "The cancellation", ["get", order_id]):
            found = client.cancel(order_id)
    if settings.out.is_json:
        settings.out.document(found.raw)
    else:
        words = {
            "cancelled": "is cancelled and never trades",
            "requested": "will be cancelled unless it is sent first",
        }
        settings.out.line(plain(f"{found.id} {words.get(found.outcome, found.outcome)}"))


def _cancel_all(settings: Settings, found: Any) -> None:
    outcomes = [*found.cancelled, *found.too_late]
    if settings.out.is_json:
        cancelled, too_late = [one.raw for one in found.cancelled], [one.raw for one in found.too_late]
        settings.out.document({**found.raw, "cancelled": cancelled, "tooLate": too_late, "more": found.more})
    elif outcomes:
        settings.out.table(("order", "outcome", "status"), [(one.id, one.outcome, one.status) for one in outcomes])
    else:
        settings.out.line("No order was open.")
