"""``oe quote``, ``oe tokens`` and ``oe tell``."""

from typing import Any

import click

from orderengine.cli.command import Command, Group
from orderengine.cli.exact_text import plain
from orderengine.cli.going_on import changing
from orderengine.cli.settings import Settings
from orderengine.cli.values import Amount, words_of

_AGAIN = "It is safe to tell it again:"


@click.command(cls=Command, examples="oe quote 1.5 SOL USDC")
@click.argument("words", nargs=-1, metavar="AMOUNT TOKEN [for] TOKEN")
@click.pass_obj
def quote(settings: Settings, /, words: tuple[str, ...]) -> None:
    """Show what both venues give for AMOUNT of the first token now."""
    amount, token_in, token_out = words_of(words, ("AMOUNT", "TOKEN", "TOKEN"), "for", "oe quote 1.5 SOL USDC")
    with settings.client() as client:
        found = client.quote(token_in, token_out, amount)
    if settings.out.is_json:
        settings.out.document(found.raw)
        return
    rows: list[tuple[Any, ...]] = []
    for venue, one in (("raydium", found.raydium), ("meteora", found.meteora)):
        mark = "✔" if venue == found.chosen else ""
        if one:
            rows.append((mark, venue, one.amount_out, one.price, one.fee, one.price_impact_pct))
        elif venue in found.errors:
            rows.append((mark, venue, found.errors[venue].code, None, None, None))
    settings.out.table(("", "venue", f"brings {token_out}", "price", f"fee {token_in}", "impact %"), rows)
    settings.out.line(plain(found.reason))


@click.command(cls=Command, examples="oe tokens")
@click.pass_obj
def tokens(settings: Settings, /) -> None:
    """List the tokens that can be traded; as JSON, one a line."""
    with settings.client() as client:
        found = client.tokens()
    if settings.out.is_json:
        for one in found:
            settings.out.frame(one.raw)
        return
    rows = [(one.symbol, one.decimals, one.mint, one.name) for one in found]
    settings.out.table(("symbol", "decimals", "mint", "name"), rows, whole=("mint",))


@click.group(cls=Group)
def tell() -> None:
    """Tell the engine a price or a launch, as a market feed does. It needs the scope operate."""


@tell.command(examples="oe tell price SOL/USDC 250")
@click.argument("pair")
@click.argument("price", type=Amount())
@click.pass_obj
def price(settings: Settings, /, pair: str, price: str) -> None:
    """Push the PRICE of a PAIR, quote per base, which may trigger limit orders."""
    with settings.client() as client, changing(settings, "It", ["tell", "price", pair, price], _AGAIN):
        found = client.tell_price(pair, price)
    if settings.out.is_json:
        settings.out.document(found.raw)
    else:
        settings.out.line(f"accepted; it triggered {found.triggered} orders at once")


@tell.command(examples="oe tell pool MINT --venue raydium --price 0.01 --liquidity 5000")
@click.argument("mint")
@click.option("--venue", required=True, help="Where the pool is.")
@click.option("--price", type=Amount(), required=True, help="Its price, quote per base.")
@click.option("--liquidity", type=Amount(), required=True, help="Its liquidity in the quote token.")
@click.option("--quote", metavar="TOKEN", help="Its quote token.")
@click.option("--pool", metavar="ADDRESS", help="Its address.")
@click.option("--slot", type=click.IntRange(min=0), help="Its slot.")
@click.pass_obj
def pool(settings: Settings, /, mint: str, **terms: Any) -> None:
    """Announce the first pool of MINT, which triggers the sniper orders that wait for it."""
    with settings.client() as client:
        options = [text for name, value in terms.items() if value is not None for text in (f"--{name}", str(value))]
        with changing(settings, "It", ["tell", "pool", mint, *options], _AGAIN):
            found = client.tell_pool(mint, **terms)
    if settings.out.is_json:
        settings.out.document(found.raw)
    else:
        settings.out.line("known before; nothing changes" if found.duplicate else "accepted")
