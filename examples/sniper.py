"""Buys a token at the moment of its launch, if the launch is good enough, and says why if it was not.

python examples/sniper.py AdiWxzkbkvEUqfmXCZsf3zDsQFquvfmTEgaUsCoWKmQZ 1
"""

import asyncio
import sys

from orderengine import AsyncClient, LaunchTerms, Order, errors


async def snipe(client: AsyncClient, mint: str, sol: str) -> Order:
    terms: LaunchTerms = {"mint": mint, "min_liquidity": "500", "max_price": "0.01"}
    order = await client.submit("SOL", mint, sol, launch=terms, slippage=5, expires_in="1d")
    async for update in order.watch():
        print(f"{update.at:%H:%M:%S} {update.status} {update.meta.get('reason', '')}".rstrip())
    return await order.record()


async def main(mint: str, sol: str) -> None:
    async with AsyncClient() as client:
        try:
            order = await snipe(client, mint, sol)
            print(f"{order.raise_for_outcome().amount_out} of {mint} in {order.tx_hash}")
        except errors.PoolAlreadyLive:
            print("The launch is over: buy it with a market order.")
        except errors.OutcomeError as error:
            print((await client.explain(error.order.id)).summary)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
