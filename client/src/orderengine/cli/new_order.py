"""Sending a new order: its key and its expiry are fixed first, so that it can be repeated without a second order."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from orderengine import Client, PlacedOrder, errors
from orderengine.cli import clock, orders_text, report
from orderengine.cli.command_text import command_text
from orderengine.cli.ending import show_end, show_steps
from orderengine.cli.exact_text import plain
from orderengine.cli.exits import Exit, Stop
from orderengine.cli.going_on import watching
from orderengine.cli.settings import Placed, Settings
from orderengine.models.quotes import Preview

_FLAGS = {
    "--limit": "limit_price",
    "--slippage": "slippage",
    "--priority": "priority",
    "--id": "client_order_id",
    "--simulate": "simulate",
}
_LAUNCH_FLAGS = {"--min-liquidity": "min_liquidity", "--max-price": "max_price", "--venue": "venue"}


@dataclass(frozen=True)
class Mode:
    dry_run: bool
    wait: bool
    watch: bool


@dataclass(frozen=True)
class NewOrder:
    """An order as the user wrote it. ``words`` repeat it on the command line."""

    words: list[str]
    token_in: str
    token_out: str
    amount: str
    key: str | None
    expiry: str | None
    options: dict[str, Any]

    def repeat(self, settings: Settings, key: str, expires_at: str | None, mode: Mode) -> str:
        """The command that sends exactly this order again."""
        launch = self.options.get("launch") or {}
        return command_text(
            self.words,
            {
                **{flag: self.options.get(name) for flag, name in _FLAGS.items()},
                **{flag: launch.get(name) for flag, name in _LAUNCH_FLAGS.items()},
                "--ioc": self.options.get("time_in_force") == "IOC",
                "--expires": expires_at,
                "--wait": mode.wait,
                "--watch": mode.watch,
                **settings.options_text(),
                "--idempotency-key": key,
            },
        )


def place(settings: Settings, order: NewOrder, mode: Mode) -> int:
    """Place an order, or preview it, and show it as far as ``mode`` says."""
    with settings.client() as client:
        # A repeat of the order must have the same expiry.
        expires_at = clock.later(client, "--expires", order.expiry)
        terms = {**order.options, "expires_at": expires_at}
        if mode.dry_run:
            _show_preview(settings, client.preview(order.token_in, order.token_out, order.amount, **terms))
            return Exit.DONE
        key = order.key or str(uuid4())
        settings.out.note(f"idempotency key {key}")
        placed = _submit(client, order, terms, key, order.repeat(settings, key, expires_at, mode))
        settings.placed = Placed(placed.id, key)
        if placed.replayed:
            settings.out.note("The engine had accepted this order before; this is its answer again.")
        if mode.watch:
            return show_steps(settings, client, placed.id, after=0)
        if mode.wait:
            settings.out.note(f"order {placed.id}")
            with watching(settings, placed.id, lambda: 0):
                return show_end(settings, placed.result(timeout=settings.timeout))
        _show_accepted(settings, placed)
        return Exit.DONE


def _submit(client: Client, order: NewOrder, terms: dict[str, Any], key: str, repeat: str) -> PlacedOrder:
    try:
        return client.submit(order.token_in, order.token_out, order.amount, **terms, idempotency_key=key)
    except errors.OutcomeUnknown as error:
        why = report.text_of(error.__cause__ or error)
        detail = f"{why}. The order may exist. This gives its answer, and never a second order:"
        raise Stop(Exit.UNKNOWN, "OUTCOME_UNKNOWN", detail, repeat, idempotencyKey=key) from error
    except KeyboardInterrupt as error:
        detail = "Interrupted; the order may exist. This gives its answer, and never a second order:"
        raise Stop(Exit.INTERRUPTED, "INTERRUPTED", detail, repeat, idempotencyKey=key) from error


def _show_accepted(settings: Settings, placed: PlacedOrder) -> None:
    accepted = placed.accepted
    if settings.out.is_json:
        settings.out.document(accepted.raw)
        return
    entry = {True: "at once: the market is at the limit", False: "later: the market is not at the limit"}
    settings.out.facts(
        {
            "accepted": accepted.id,
            "status": accepted.status,
            "executes": None if accepted.marketable_at_entry is None else entry[accepted.marketable_at_entry],
            "expires": accepted.expires_at,
            "watch it": command_text(["watch", accepted.id], {"--url": settings.url}),
        },
        whole=("watch it",),
    )


def _show_preview(settings: Settings, preview: Preview) -> None:
    if settings.out.is_json:
        settings.out.document(preview.raw)
        return
    settings.out.line(plain(preview.summary))
    settings.out.facts(
        {
            "quotes": "   ".join(orders_text.quotes_of(preview.raw)),
            "why": preview.reason,
            "brings": preview.amount_out,
            "at least": preview.min_amount_out,
            "expires": preview.expires_at,
            **{f"warning {one.code}": one.message for one in preview.warnings},
        }
    )
    settings.out.note("Nothing was placed.")
