"""``oe listen``: the events of a user as webhooks to a URL."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click

from orderengine import Client, Update
from orderengine.cli import clock
from orderengine.cli.command import Command
from orderengine.cli.command_text import command_text
from orderengine.cli.exact_text import plain
from orderengine.cli.exits import Exit, Stop
from orderengine.cli.feed import Feed, follow
from orderengine.cli.settings import Settings
from orderengine.cli.values import Moment, Seconds
from orderengine.cli.webhooks.bridge import Bridge
from orderengine.cli.webhooks.cursor_file import CursorFile, Place, default_path
from orderengine.cli.webhooks.message import Message, key_of
from orderengine.cli.webhooks.receiver import Receiver, poster
from orderengine.errors import InvalidArgument
from orderengine.io.defaults import addresses_of
from orderengine.times import read_time, time_text

_POST_SECONDS = 15.0
_GOES_ON = "This goes on there, with the same secret if it had one:"
#: The engine tells its time in whole seconds.
_CLOCK_STEP = timedelta(seconds=1)


@click.command(
    cls=Command,
    short_help="Forward each event to a URL as a signed webhook.",
    examples="""
oe listen --forward-to http://localhost:3000/hooks --user bot-1
oe listen --forward-to https://bot.example/hooks --since 1d       begin a day ago
OE_WEBHOOK_SECRET=whsec_... oe listen --forward-to https://bot.example/hooks
""",
)
@click.option("--forward-to", "target", required=True, metavar="URL", help="Receives a POST for each event.")
@click.option("--secret", help="Signs each POST: whsec_ and base64.  [OE_WEBHOOK_SECRET]", envvar="OE_WEBHOOK_SECRET")
@click.option(
    "--cursor", "path", type=click.Path(path_type=Path, dir_okay=False), help="File that remembers the place."
)
@click.option("--since", type=Moment(), help="Where a new cursor begins: a time, or 1d for a day ago.  [now]")
@click.option("--retry-for", type=Seconds(), default="10m", help="How long an event is repeated.  [10m]")
@click.pass_obj
def listen(
    settings: Settings, /, target: str, secret: str | None, path: Path | None, since: str | None, retry_for: float
) -> int:
    """Forward each event of a user's orders to a URL, signed as Standard Webhooks.

    Events of an order arrive in order. Each is repeated until a 2xx answers it; then the cursor file moves on. After
    any stop, also a kill, the same command goes on where it was: nothing is lost, and at most one event comes twice,
    with the same webhook-id. A receiver that answers 410 ends it.
    """
    if urlsplit(target).scheme not in ("http", "https") or not urlsplit(target).hostname:
        raise click.UsageError(f"--forward-to {target!r} is not an address such as http://localhost:3000/hooks")
    key = None if secret is None else key_of(secret)
    listener = f"{settings.known_user or 'the user'} at {addresses_of(settings.url, None).http} to {target}"
    receiver = Receiver(poster(target, _POST_SECONDS), key, retry_for, settings.out.problem)
    with settings.client() as client, CursorFile(path or default_path(listener), listener) as file:
        start = file.load() or Place(listener, _beginning(client, since))
        bridge = Bridge(file, lambda place: _feed(client, place), receiver, lambda *told: _tell(settings, *told))
        settings.out.note(f"forwarding to {target} since {start.cursor or start.since}; the cursor is in {file.path}")
        with _ending(bridge, file, _again(settings, target, path, retry_for)):
            bridge.run(start)
    return Exit.DONE


@contextmanager
def _ending(bridge: Bridge, file: CursorFile, again: str) -> Iterator[None]:
    """Say how to go on after an end that leaves events to deliver.

    :raises Stop: if the user interrupts it, the receiver fails, or the cursor is not one of the feed.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        done = f"Everything up to {bridge.delivered} was delivered" if bridge.delivered else "Nothing was delivered"
        detail = f"Interrupted. {done}. {_GOES_ON}"
        raise Stop(Exit.INTERRUPTED, "INTERRUPTED", detail, again, delivered=bridge.delivered) from error
    except InvalidArgument as error:
        raise Stop(Exit.USAGE, "CURSOR_UNREADABLE", f"The cursor file {file.path}: {error}") from error
    except Stop as stop:
        if stop.exit_code != Exit.LATER:
            raise
        raise Stop(stop.exit_code, stop.code, f"{stop.detail} {_GOES_ON}", again, **stop.facts) from stop


def _again(settings: Settings, target: str, path: Path | None, retry_for: float) -> str:
    """The command that goes on at the cursor, without the secret, which no message shows."""
    own = {"--forward-to": target, "--cursor": path, "--retry-for": f"{retry_for:.0f}s"}
    return command_text(["listen"], {**own, **settings.options_text()})


def _beginning(client: Client, since: str | None) -> str:
    """The time at which a new cursor begins, by the engine's clock: a wrong clock here would pass over events.

    :raises click.UsageError: for a time to come, which would pass over the events until then.
    """
    now = clock.now(client)
    found = clock.ago(client, "--since", since) or time_text("since", now)
    if read_time(found) > now + _CLOCK_STEP:
        raise click.UsageError(f"--since {found} is to come: the engine's time is {time_text('now', now)}")
    return found


def _feed(client: Client, place: Place) -> AbstractContextManager[Feed]:
    return follow(client, cursor=place.cursor) if place.cursor else follow(client, since=place.since)


def _tell(settings: Settings, update: Update, message: Message, status: int) -> None:
    if settings.out.is_json:
        settings.out.frame({"webhookId": message.id, "type": f"order.{update.status}", "answer": status})
    else:
        settings.out.line(plain(f"{update.at:%H:%M:%S}  {message.id}  {update.status} -> {status}"))
