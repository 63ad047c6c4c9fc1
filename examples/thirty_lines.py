"""A bot in thirty lines: it watches the quote, bids when the price dips, and follows its order to the end.

OE_URL=http://localhost:8000 OE_USER=bot-1 python examples/thirty_lines.py
"""

import time
from collections.abc import Callable
from decimal import Decimal

from orderengine import Client, Order

DIP = Decimal("0.998")


def price(client: Client) -> Decimal:
    quotes = client.quote("USDC", "SOL", "150")
    return min(quote.price for quote in (quotes.raydium, quotes.meteora) if quote)


def buy_a_dip(client: Client, sleep: Callable[[float], object] = time.sleep) -> Order:
    high = now = price(client)
    while now > high * DIP:
        sleep(5)
        now = price(client)
        high = max(high, now)
    # The bid waits in the engine, also if this process dies.
    order = client.submit("USDC", "SOL", "150", limit_price=round(now, 2), expires_in="10m")
    for update in order.watch():
        print(f"{update.at:%H:%M:%S} {update.seq} {update.status}")
    return order.record()


if __name__ == "__main__":
    with Client() as client:
        done = buy_a_dip(client)
        print(f"{done.status}: {done.amount_out} SOL at {done.executed_price}")
