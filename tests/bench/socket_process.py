"""The process that holds the sockets of a benchmark, in groups; ``sockets.py`` asks it."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.bench.child import serve
from tests.bench.errors import BenchError
from tests.bench.socket_client import Arrival, SocketClient, Update

_OPEN_SECONDS = 120
_POLL_SECONDS = 0.02


@dataclass
class _Group:
    sockets: list[SocketClient] = field(default_factory=list)
    #: The updates of each order over all sockets by their arrival, and when the last new one came.
    counts: defaultdict[str, Counter[Arrival]] = field(default_factory=lambda: defaultdict(Counter))
    last: dict[str, float] = field(default_factory=dict)
    changed: float = 0

    def on_update(self, update: Update, arrival: Arrival) -> None:
        self.changed = update.came
        self.counts[update.order_id][arrival] += 1
        if arrival is not Arrival.DOUBLED:
            self.last[update.order_id] = update.came

    def received(self, order_id: str) -> int:
        """The different updates of an order over all sockets."""
        counts = self.counts[order_id]
        return counts[Arrival.NEW] + counts[Arrival.EARLY]

    def total(self, orders: Iterable[str], arrival: Arrival) -> int:
        return sum(self.counts[order][arrival] for order in orders)

    def has_all(self, orders: dict[str, int]) -> bool:
        return all(self.received(order) >= last * len(self.sockets) for order, last in orders.items())


class _Process:
    def __init__(self) -> None:
        self._groups: defaultdict[str, _Group] = defaultdict(_Group)

    async def answer(self, what: str, fields: dict[str, Any]) -> Any:
        return await getattr(self, what)(**fields)

    async def open(self, group: str, urls: list[str], at_once: int, deaf: bool, vanish: bool) -> list[float]:
        """Open sockets, ``at_once`` at a time, and return the seconds of each handshake."""
        members = self._groups[group]
        free = asyncio.Semaphore(at_once)

        async def one(url: str) -> float:
            async with free:
                opening = SocketClient(url, members.on_update)
                if not members.sockets:
                    opening.texts = []
                members.sockets.append(opening)
                await opening.connect(deaf=deaf)
                opened = await asyncio.wait_for(asyncio.shield(opening.opened), _OPEN_SECONDS)
                if vanish:
                    opening.vanish()
                return opened - opening.began

        return list(await asyncio.gather(*(one(url) for url in urls)))

    async def firsts(self, group: str, seconds: float) -> list[float]:
        """The seconds from each handshake's beginning to the first frame, which must be an update."""
        times = []
        for one in self._groups[group].sockets:
            came, frame = await asyncio.wait_for(asyncio.shield(one.first), seconds)
            if frame["type"] != "ORDER_UPDATE":
                raise BenchError(f"the first frame of a socket is {frame}")
            times.append(came - one.began)
        return times

    async def until(self, group: str, orders: dict[str, int], quiet: float) -> dict[str, Any]:
        """Wait until all sockets have these orders up to these seqs, or for ``quiet`` seconds without an update."""
        members = self._groups[group]
        began = time.monotonic()
        while not members.has_all(orders) and time.monotonic() - max(began, members.changed) < quiet:
            await asyncio.sleep(_POLL_SECONDS)
        sockets = members.sockets
        return {
            "sockets": len(sockets),
            "closed": sum(one.is_closed for one in sockets),
            "due": sum(orders.values()) * len(sockets),
            "received": sum(members.received(order) for order in orders),
            "doubled": members.total(orders, Arrival.DOUBLED),
            "early": members.total(orders, Arrival.EARLY),
            "last": max((members.last.get(order, 0) for order in orders), default=0),
        }

    async def updates(self, group: str) -> list[list[Update]]:
        return [one.updates for one in self._groups[group].sockets]

    async def texts(self, group: str) -> list[str]:
        """The texts of the updates that the group's first socket has received."""
        return self._groups[group].sockets[0].texts or []

    async def say(self, group: str, text: str, times: int, seconds: float) -> None:
        """Send a message on each socket ``times`` times, and wait for as many replies."""
        sockets = self._groups[group].sockets
        wanted = [one.replies + times for one in sockets]
        for one in sockets:
            for _ in range(times):
                one.say(text)
        deadline = time.monotonic() + seconds
        while any(one.replies < replies for one, replies in zip(sockets, wanted, strict=True)):
            if time.monotonic() > deadline:
                raise BenchError(f"a socket got no reply to each of {times} messages within {seconds:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)

    async def close(self, group: str, vanish: bool) -> None:
        for one in self._groups.pop(group, _Group()).sockets:
            if vanish:
                one.vanish()
            else:
                one.close()


if __name__ == "__main__":
    asyncio.run(serve(_Process().answer))
