"""Sockets that join at any moment, disconnect at any ``seq`` and resume, or are slow."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chalicelib.codec.exact_json import loads
from orderengine.testing.invariants import stream_violations
from tests.faults.effort import Effort
from tests.faults.proxy import Harm, Rule
from tests.faults.result import Result
from tests.faults.stack_under_test import PATIENCE_SECONDS, StackUnderTest
from tests.faults.trials.outages import through_proxy

_TERMINAL = {"completed", "failed", "cancelled", "expired"}


@dataclass
class Watcher:
    """A client of a stream: joins after ``joins_after`` seconds, disconnects at seq ``leaves_at`` (0: never)."""

    joins_after: float = 0
    leaves_at: int = 0
    seqs: list[int] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    async def watch(self, base: str, order_id: str) -> None:
        """Receive the stream to its end, and resume it after the disconnect at ``leaves_at``."""
        await asyncio.sleep(self.joins_after)
        while not await self._listen(f"{base}?orderId={order_id}&afterSeq={max(self.seqs, default=0)}", order_id):
            self.leaves_at = 0

    async def _listen(self, address: str, order_id: str) -> bool:
        async with connect(address, open_timeout=PATIENCE_SECONDS, ping_interval=None) as socket:
            while True:
                try:
                    frame: dict[str, Any] = loads(await asyncio.wait_for(socket.recv(decode=True), PATIENCE_SECONDS))
                except ConnectionClosed:
                    # The engine closes a socket that stays slow.
                    return False
                if frame.get("orderId") != order_id:
                    self.foreign.append(str(frame))
                    continue
                if frame["type"] == "live":
                    continue
                self.seqs.append(frame["seq"])
                if frame["phase"] in _TERMINAL:
                    return True
                if frame["seq"] == self.leaves_at:
                    return False


def many_on_one_order(site: StackUnderTest, effort: Effort) -> Result:
    """Open many sockets on one order before, during and after its execution; most disconnect and resume."""
    random = Random(7)
    number = effort.pick(50, 1_000)
    watchers = [Watcher(random.uniform(0, 8), random.choice([0, 1, 2, 3, 4, 5])) for _ in range(number)]
    return _watch(site, f"{number} sockets on one order", "slow:5000", watchers)


def resumed_at_every_seq(site: StackUnderTest, effort: Effort) -> Result:
    """Disconnect and resume a socket at each seq of orders that retry and so have many events."""
    result = Result("disconnecting at every seq, resuming")
    for simulate in ("slow:800", "tx_dropped:2", "network_error:1")[: effort.pick(1, 3)]:
        result.add(_watch(site, "", simulate, [Watcher(leaves_at=seq) for seq in range(1, effort.pick(7, 14))]))
    return result


def slow_sockets(site: StackUnderTest, effort: Effort) -> Result:
    """Delay some pushes beyond their timeout, so that the replay queue delivers the missed frames.

    The share is small, because the pause between two replays of a socket doubles even if the first one made progress.
    """
    rules = [Rule("push", 0.12, Harm.DELAY, 1.5)]
    functions = ["ProcessOrders", "ReplayStreams", "APIHandler"]
    with through_proxy(site, functions, rules, pushes=True) as proxy:
        result = _watch(site, "slow sockets", "slow:500", [Watcher() for _ in range(effort.pick(6, 30))])
        result.faults = proxy.harmed
    return result


def strangers(site: StackUnderTest, effort: Effort) -> Result:
    """Open a stream per user before any order; each stream has all orders of its user and no other orders."""
    result = Result("user streams, each its own orders")
    users = [f"user-{number}" for number in range(effort.pick(3, 10))]
    asyncio.run(_user_streams(site, users, effort.pick(3, 10), result))
    return result


async def _user_streams(site: StackUnderTest, users: Sequence[str], each: int, result: Result) -> None:
    base = f"{site.client.ws}/ws"
    sockets = {user: await connect(f"{base}?userId={user}", open_timeout=PATIENCE_SECONDS) for user in users}
    # The stream shows the first order of a user as soon as the connection follows the user.
    first = {user: (await asyncio.to_thread(site.accept, 1, user, lambda _: "slow:1500"))[0] for user in users}
    frames: dict[str, list[dict[str, Any]]] = {user: [] for user in users}
    for user in users:
        await _until_terminal(sockets[user], frames[user], {first[user]})
    accepted = await asyncio.gather(*(asyncio.to_thread(site.accept, each, user) for user in users))
    for user, ids in zip(users, accepted, strict=True):
        await _until_terminal(sockets[user], frames[user], set(ids))
        await sockets[user].close()
        # The live frame of the stream names no order.
        mine = {None, first[user], *ids}
        result.faults += sum(len(ids) for ids in accepted) - len(ids)
        result.violations += [f"I7 {user}: {frame}" for frame in frames[user] if frame.get("orderId") not in mine]
        items = await asyncio.to_thread(site.items, ids)
        for order_id in ids:
            seqs = [frame["seq"] for frame in frames[user] if frame.get("orderId") == order_id]
            wrong = stream_violations(seqs, 0, int(items[order_id]["seq"]))
            result.violations += [f"{user} {order_id}: {one}" for one in wrong]
    all_ids = [one for ids in accepted for one in ids] + list(first.values())
    await asyncio.to_thread(site.wait_until_finalized, all_ids)
    await asyncio.to_thread(site.judge, all_ids, result)


async def _until_terminal(socket: Any, frames: list[dict[str, Any]], waiting: set[str]) -> None:
    waiting = waiting - {frame["orderId"] for frame in frames if frame.get("phase") in _TERMINAL}
    while waiting:
        frame: dict[str, Any] = loads(await asyncio.wait_for(socket.recv(decode=True), PATIENCE_SECONDS))
        frames.append(frame)
        if frame.get("phase") in _TERMINAL:
            waiting.discard(frame["orderId"])


def _watch(site: StackUnderTest, name: str, simulate: str, watchers: list[Watcher]) -> Result:
    """Run all watchers on one order; each must receive every event in order."""
    result = Result(name, faults=sum(one.leaves_at > 0 for one in watchers))
    [order_id] = site.accept(1, "watched", lambda _: simulate)

    async def all_of_them() -> None:
        base = f"{site.client.ws}/ws"
        await asyncio.gather(*(one.watch(base, order_id) for one in watchers))

    began = time.monotonic()
    try:
        asyncio.run(all_of_them())
    except (TimeoutError, OSError) as error:
        result.violations.append(f"a socket was not served: {error!r}")
    result.recovered(time.monotonic() - began)
    site.wait_until_finalized([order_id])
    last = int((site.item(order_id) or {"seq": 0})["seq"])
    for one in watchers:
        result.violations += [f"{order_id}: {wrong}" for wrong in stream_violations(one.seqs, 0, last)]
        result.violations += [f"I7 {frame}" for frame in one.foreign]
    site.judge([order_id], result)
    return result
