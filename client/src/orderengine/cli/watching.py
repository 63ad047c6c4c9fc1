"""``oe watch`` and ``oe replay``: an order's steps, live or as they happened."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

import click

from orderengine import Client, Update
from orderengine.cli import clock, orders_text
from orderengine.cli.command import Command
from orderengine.cli.command_text import command_text
from orderengine.cli.ending import show_steps
from orderengine.cli.exact_text import plain
from orderengine.cli.exits import Exit, Stop
from orderengine.cli.feed import follow
from orderengine.cli.settings import Settings
from orderengine.cli.step_bar import show_live
from orderengine.cli.values import Moment
from orderengine.models.explanations import Replay

#: A replay shortens longer pauses to this, before it divides them by the speed.
_LONGEST_PAUSE_SECONDS = 10.0


@click.command(
    cls=Command,
    short_help="Show each event of an order, or of all, live.",
    examples="""
oe watch 449d30f9-3ef6-4e9c-9547-0fe0168995e2
oe watch 449d30f9-3ef6-4e9c-9547-0fe0168995e2 --after 4 --json
oe watch --user bot-1                              every event of all orders
oe watch --user bot-1 --json | jq 'select(.status == "failed")'
""",
)
@click.argument("order_id", required=False, metavar="[ID]")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    help="Only later events; a bar shows all.  [0]",
)
@click.option("--since", type=Moment(), help="Without an ID: also events since then.")
@click.option("--coarse", is_flag=True, help="Only events that change the phase.")
@click.pass_obj
def watch(settings: Settings, /, order_id: str | None, after: int, since: str | None, coarse: bool) -> int:
    """Show each event of an order, once and in order, through any broken connection.

    On a terminal it is a bar of steps; else one JSON frame a line. It ends with the order, and with the exit code of
    its outcome. Without an ID it shows the events of all of the user's orders, until it is interrupted.
    """
    if order_id is None:
        return _watch_user(settings, since, coarse)
    if since is not None:
        raise click.UsageError("--since is for all orders of a user; for one order, use --after")
    with settings.client() as client:
        return show_steps(settings, client, order_id, after, coarse)


def _watch_user(settings: Settings, since: str | None, coarse: bool) -> int:
    phases: dict[str, str] = {}
    last_at = since
    try:
        with settings.client() as client:
            last_at = clock.ago(client, "--since", since)
            with follow(client, since=last_at, timeout=settings.timeout) as updates:
                for update in updates:
                    last_at = plain(update.at)
                    if coarse and phases.get(update.order_id) == update.phase:
                        continue
                    phases[update.order_id] = update.phase
                    _show_line(settings, update)
    except KeyboardInterrupt as error:
        again = command_text(["watch"], {"--since": last_at, **settings.options_text()})
        raise Stop(
            Exit.INTERRUPTED, "INTERRUPTED", "Interrupted; the orders go on. Watch them again:", again
        ) from error
    return Exit.DONE


def _show_line(settings: Settings, update: Update) -> None:
    if settings.out.is_json:
        settings.out.frame(orders_text.frame(update))
        return
    words = [f"{update.at:%H:%M:%S}", update.order_id, f"{update.seq:>3}", f"{update.status:<9}"]
    settings.out.line(plain("  ".join([*words, orders_text.detail(update)]).rstrip()))


@click.command(
    cls=Command,
    short_help="Play an order's events as they happened.",
    examples="""
oe replay 449d30f9-3ef6-4e9c-9547-0fe0168995e2
oe replay 449d30f9-3ef6-4e9c-9547-0fe0168995e2 --speed 10
""",
)
@click.argument("order_id", metavar="ID")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Times faster than it was.  [1]")
@click.pass_obj
def replay(settings: Settings, /, order_id: str, speed: float | None) -> int:
    """Play the events of an order as they happened, and compute its values again.

    Pauses over 10 s are shortened. In a pipe the events come at once, unless --speed is given. It ends with the
    values that come out the same and those that do not, which the exit code 1 stands for.
    """
    with settings.client() as client:
        events = client.events(order_id)
        paced = _paced(events, speed or 1.0, time.sleep) if speed or not settings.out.is_json else iter(events)
        _play(settings, client, order_id, paced)
        verdict = client.explain(order_id).replay
    if settings.out.is_json:
        settings.out.frame({"type": "REPLAY", "orderId": order_id, **verdict.raw})
    else:
        _show_verdict(settings, verdict)
    return Exit.DONE if verdict.matches else Exit.BUG


def _play(settings: Settings, client: Client, order_id: str, events: Iterator[Update]) -> None:
    if settings.out.is_json:
        for event in events:
            settings.out.frame(orders_text.frame(event))
        return
    title = f"{orders_text.terms(client.order(order_id))}   {order_id}"
    with closing(show_live(settings.out, title, events)) as shown:
        for _ in shown:
            pass


def _paced(events: Iterable[Update], speed: float, sleep: Callable[[float], None]) -> Generator[Update, None, None]:
    before = None
    for event in events:
        if before is not None:
            sleep(min(max(0.0, (event.at - before).total_seconds()), _LONGEST_PAUSE_SECONDS) / speed)
        before = event.at
        yield event


def _show_verdict(settings: Settings, verdict: Replay) -> None:
    same = verdict.checked - len(verdict.differences)
    unknown = f", {verdict.unknown} cannot be computed any more" if verdict.unknown else ""
    settings.out.line(f"computed again: {same} of {verdict.checked} values are the same{unknown}")
    if verdict.differences:
        rows = [(one.seq, one.field, one.kept, one.computed) for one in verdict.differences]
        settings.out.table(("event", "value", "kept", "computed"), rows)
