"""``oe get``, ``events``, ``explain`` and ``ls``."""

from itertools import islice
from typing import Any

import click

from orderengine import Update
from orderengine.cli import clock, orders_text
from orderengine.cli.command import Command
from orderengine.cli.exact_text import plain
from orderengine.cli.record import show_record
from orderengine.cli.settings import Settings
from orderengine.cli.values import Moment
from orderengine.models.explanations import Attempt, Explanation


@click.command(cls=Command, examples="oe get 449d30f9-3ef6-4e9c-9547-0fe0168995e2 --at 3")
@click.argument("order_id", metavar="ID")
@click.option("--at", "at_seq", type=click.IntRange(min=1), metavar="SEQ", help="As it stood at this event.")
@click.pass_obj
def get(settings: Settings, /, order_id: str, at_seq: int | None) -> None:
    """Show the record of an order, now or as it stood."""
    with settings.client() as client:
        order = client.order(order_id, at_seq=at_seq)
    show_record(settings.out, order)


@click.command(
    cls=Command,
    examples="""
oe events 449d30f9-3ef6-4e9c-9547-0fe0168995e2
oe events 449d30f9-3ef6-4e9c-9547-0fe0168995e2 --after 4 --wait 20
""",
)
@click.argument("order_id", metavar="ID")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only events after this one.  [0]")
@click.option("--wait", type=click.IntRange(0, 20), default=0, help="Seconds to wait for the next one.  [0]")
@click.pass_obj
def events(settings: Settings, /, order_id: str, after: int, wait: int) -> None:
    """List the events of an order; as JSON, one a line."""
    with settings.client() as client:
        found = client.events(order_id, after=after, wait=wait)
    if settings.out.is_json:
        for one in found:
            settings.out.frame(orders_text.frame(one))
        return
    names = ("event", "at (UTC)", "attempt", "status", "what")
    settings.out.table(names, map(_row, found), whole=names[:4])


def _row(event: Update) -> tuple[Any, ...]:
    at = event.at.strftime("%H:%M:%S.") + f"{event.at.microsecond // 1000:03}"
    return event.seq, at, event.attempt, event.status, orders_text.detail(event)


@click.command(
    cls=Command,
    short_help="Tell why an order went as it did.",
    examples="oe explain 449d30f9-3ef6-4e9c-9547-0fe0168995e2",
)
@click.argument("order_id", metavar="ID")
@click.pass_obj
def explain(settings: Settings, /, order_id: str) -> None:
    """Tell why an order went as it did, and what would have filled it."""
    with settings.client() as client:
        found = client.explain(order_id)
    if settings.out.is_json:
        settings.out.document(found.raw)
    else:
        _tell(settings, found)


def _tell(settings: Settings, found: Explanation) -> None:
    out = settings.out
    out.show(_text(found.summary, "bold"), "")
    rows = [(one.seq, f"{one.since_accepted_ms / 1000:.1f} s", one.text) for one in found.story]
    out.table(("event", "after", "what"), rows, whole=("event", "after"))
    for attempt in found.attempts:
        _tell_attempt(settings, attempt)
    if found.counterfactuals:
        out.show("", _text("It would have been filled:", "bold"))
        out.table(("how certain", "what"), [(one.basis, one.text) for one in found.counterfactuals])


def _tell_attempt(settings: Settings, attempt: Attempt) -> None:
    out = settings.out
    out.show("", _text(f"Attempt {attempt.attempt}: {attempt.outcome}", "bold"))
    for decision in attempt.decisions:
        out.show(_text(decision.reason))
        arithmetic = [(one.venue, one.arithmetic or (one.failure and one.failure.reason)) for one in decision.venues]
        out.table(("venue", "arithmetic"), arithmetic, whole=("venue",))
    if attempt.error:
        out.show(_text(f"{attempt.error.code}: {attempt.error.reason}", "yellow"))
    if attempt.handling:
        out.show(_text(attempt.handling))


def _text(words: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(plain(words), style)


@click.command(
    cls=Command,
    examples="""
oe ls --status open --pair SOL/USDC
oe ls --since 1d --limit 10
oe ls --all --json > orders.ndjson
""",
)
@click.option("--status", metavar="STATUS", help="Such as open, confirmed or failed.")
@click.option("--type", metavar="TYPE", help="market, limit or sniper.")
@click.option("--pair", metavar="PAIR", help="Such as SOL/USDC.")
@click.option("--id", "client_order_id", metavar="TEXT", help="Your own name of the order.")
@click.option("--since", type=Moment(), help="Created since then: a time, or 1d for a day ago.")
@click.option("--until", type=Moment(), help="Created before then.")
@click.option("--updated-since", type=Moment(), help="Changed since then.")
@click.option("--limit", type=click.IntRange(min=1), default=50, help="Most orders.  [50]")
@click.option("--all", "is_all", is_flag=True, help="All orders, however many.")
@click.pass_obj
def ls(settings: Settings, /, limit: int, is_all: bool, **filters: Any) -> None:
    """List orders, newest first; as JSON, one a line."""
    with settings.client() as client:
        for name in ("since", "until", "updated_since"):
            filters[name] = clock.ago(client, f"--{name.replace('_', '-')}", filters[name])
        found = client.orders(**filters, limit=None if is_all else limit + 1)
        shown = found if is_all else islice(found, limit)
        if settings.out.is_json:
            for order in shown:
                settings.out.frame(order.raw)
        else:
            names = ("order", "status", "created", "what")
            rows = [(one.id, one.status, f"{one.created_at:%m-%d %H:%M}", orders_text.swap(one)) for one in shown]
            settings.out.table(names, rows, whole=names[:3])
        if not is_all and next(found, None) is not None:
            settings.out.note(f"There are more than {limit}: --limit N or --all shows them.")
