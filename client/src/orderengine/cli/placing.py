"""``oe sell``, ``oe buy`` and ``oe snipe``: every order says what is paid, and the amount stands before its token."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orderengine.cli.command import Command
from orderengine.cli.new_order import Mode, NewOrder, place
from orderengine.cli.settings import Settings
from orderengine.cli.values import Amount, Expiry, words_of

F = TypeVar("F", bound=Callable[..., Any])

_SELL = ("AMOUNT", "TOKEN", "TOKEN")
_BUY = ("TOKEN", "AMOUNT", "TOKEN")
_MODES = ("dry_run", "wait", "watch")


def _of_every_order(function: F) -> F:
    for option in reversed(
        (
            click.option(
                "--expires", type=Expiry(), help="When an open order ends: 90s, 1h, 7d or an RFC 3339 time."
            ),
            click.option("--slippage", type=Amount(), metavar="PCT", help="Most below the quote, in percent.  [1]"),
            click.option("--priority", type=click.Choice(["normal", "high"]), help="Lane of the queue."),
            click.option(
                "--id", "client_order_id", metavar="TEXT", help="Name of your own; a repeat places nothing."
            ),
            click.option("--idempotency-key", metavar="TEXT", help="Key of this order; a repeat places nothing."),
            click.option("--simulate", metavar="FAULT", help="Fault to try, such as tx_dropped:2."),
            click.option("--dry-run", is_flag=True, help="Show what it would do now; place nothing."),
            click.option("--wait", is_flag=True, help="End with the order: its record and exit code."),
            click.option("--watch", is_flag=True, help="Show each step; end with the order's exit code."),
        )
    ):
        function = option(function)
    return function


def _limits(function: F) -> F:
    limit = click.option("--limit", "limit_price", type=Amount(), metavar="PRICE", help="Limit, quote per base.")
    ioc = click.option("--ioc", is_flag=True, help="At once or not at all; with --limit.")
    return limit(ioc(function))


def _place(
    settings: Settings, verb: str, paid: tuple[str, str, str], words: list[str], options: dict[str, Any]
) -> int:
    mode = Mode(**{name: options.pop(name) for name in _MODES})
    if options.pop("ioc", False):
        options["time_in_force"] = "IOC"
    key, expiry = options.pop("idempotency_key"), options.pop("expires")
    return place(settings, NewOrder([verb, *words], *paid, key, expiry, options), mode)


@click.command(
    cls=Command,
    options_metavar="[OPTIONS]",
    examples="""
oe sell 1.5 SOL USDC --watch                       pay 1.5 SOL, get USDC
oe sell 1.5 SOL for USDC --dry-run                 what it would bring now
oe sell 1.5 SOL USDC --limit 300 --expires 1h      at 300 USDC per SOL or more
oe sell 1.5 SOL USDC --wait --json | jq .amountOut
""",
)
@click.argument("words", nargs=-1, metavar="AMOUNT TOKEN [for] TOKEN")
@_limits
@_of_every_order
@click.pass_obj
def sell(settings: Settings, /, words: tuple[str, ...], **options: Any) -> int:
    """Sell AMOUNT of the first token for the second.

    The order pays exactly AMOUNT, and brings what the better venue gives for it. The first token is the base of its
    pair, as SOL is in SOL/USDC; to pay with the quote token, use 'oe buy'.
    """
    found = words_of(words, _SELL, "for", "oe sell 1.5 SOL USDC")
    amount, token_in, token_out = found
    return _place(settings, "sell", (token_in, token_out, amount), found, {**options, "side": "sell"})


@click.command(
    cls=Command,
    examples="""
oe buy SOL 150 USDC --watch                        pay 150 USDC, get SOL
oe buy SOL with 150 USDC --dry-run                 what it would bring now
oe buy SOL 150 USDC --limit 95 --expires 1d        at 95 USDC per SOL or less
oe buy SOL 150 USDC --limit 95 --ioc --wait        at once or not at all
""",
)
@click.argument("words", nargs=-1, metavar="TOKEN [with] AMOUNT TOKEN")
@_limits
@_of_every_order
@click.pass_obj
def buy(settings: Settings, /, words: tuple[str, ...], **options: Any) -> int:
    """Buy the first token with AMOUNT of the second.

    'oe buy SOL 150 USDC' buys SOL with 150 USDC. The engine's orders fix what you pay and not what you get, so the
    amount belongs to the token that follows it; 'oe buy 2 SOL USDC' is an error and never a trade.
    """
    found = words_of(words, _BUY, "with", "oe buy SOL 150 USDC buys SOL with 150 USDC")
    token_out, amount, token_in = found
    return _place(settings, "buy", (token_in, token_out, amount), found, {**options, "side": "buy"})


@click.command(
    cls=Command,
    short_help="Buy MINT as soon as its first pool opens.",
    examples="""
oe snipe MINT 1 SOL --min-liquidity 500 --watch    pay 1 SOL at the first launch of MINT
oe snipe MINT with 1 SOL --max-price 0.01 --venue raydium --expires 1d
""",
)
@click.argument("words", nargs=-1, metavar="MINT [with] AMOUNT TOKEN")
@click.option("--min-liquidity", type=Amount(), metavar="AMOUNT", help="Least liquidity of the pool.")
@click.option("--max-price", type=Amount(), metavar="PRICE", help="Highest launch price.")
@click.option("--venue", help="Only a launch there.")
@_of_every_order
@click.pass_obj
def snipe(
    settings: Settings,
    /,
    words: tuple[str, ...],
    min_liquidity: str | None,
    max_price: str | None,
    venue: str | None,
    **options: Any,
) -> int:
    """Buy MINT with AMOUNT of a token as soon as its first pool opens.

    The order waits for the first launch that passes all filters, and ends if there is none before it expires.
    """
    found = words_of(words, _BUY, "with", "oe snipe MINT 1 SOL")
    mint, amount, token_in = found
    filters = {"venue": venue, "min_liquidity": min_liquidity, "max_price": max_price}
    launch = {"mint": mint, **{name: value for name, value in filters.items() if value is not None}}
    return _place(settings, "snipe", (token_in, mint, amount), found, {**options, "launch": launch})
