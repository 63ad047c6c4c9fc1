"""Sells in steps: a ladder of limit orders above the price, of which what is left is cancelled in the end.

Each rung has an id of its own, so the bot can be started again at any moment and places no rung twice.

python examples/limit_ladder.py ladder-1 10 300 330 4
"""

import sys
from collections.abc import Iterator
from decimal import Decimal

from orderengine import Client, Order, PlacedOrder, errors


def prices(lowest: Decimal, highest: Decimal, rungs: int) -> Iterator[Decimal]:
    for rung in range(rungs):
        yield round(lowest + (highest - lowest) * rung / max(1, rungs - 1), 2)


def place(
    client: Client, name: str, amount: Decimal, lowest: Decimal, highest: Decimal, rungs: int
) -> list[PlacedOrder]:
    """Place the rungs that do not exist yet, and return all of them."""
    each = round(amount / rungs, 9)
    return [
        client.submit("SOL", "USDC", each, limit_price=price, client_order_id=f"{name}/{rung}")
        for rung, price in enumerate(prices(lowest, highest, rungs))
    ]


def settle(client: Client, ladder: list[PlacedOrder], seconds: float) -> list[Order]:
    """Wait for the rungs, and cancel those that are still open after ``seconds``."""
    try:
        return client.gather(ladder, timeout=seconds)
    except errors.DeadlineExceeded:
        for rung in ladder:
            try:
                rung.cancel()
            except errors.TooLate as error:
                print(f"{rung.id} is {error.verdict.status if error.verdict else 'over'}")
        return client.gather(ladder)


if __name__ == "__main__":
    name, amount, lowest, highest, rungs = sys.argv[1:]
    with Client() as client:
        ladder = place(client, name, Decimal(amount), Decimal(lowest), Decimal(highest), int(rungs))
        for order in settle(client, ladder, seconds=3600):
            print(f"{order.limit_price}: {order.status}, {order.amount_out or 0} USDC")
