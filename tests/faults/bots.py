"""Bots as users write them with ``orderengine``: they place and watch orders through all faults of the network."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from orderengine import AsyncClient, AsyncPlacedOrder, Client, Order, PlacedOrder, Update
from orderengine.core.session import Counters
from orderengine.errors import (
    DeadlineExceeded,
    NotTheEngine,
    OrderEngineError,
    OutcomeUnknown,
    RateLimited,
    ServerFault,
    TooLate,
    Unavailable,
    Unreachable,
)

T = TypeVar("T")
#: What a bot meets with another try. ``OutcomeUnknown`` is no such error: it is resolved.
TRANSIENT = (DeadlineExceeded, NotTheEngine, RateLimited, ServerFault, Unavailable, Unreachable)
#: Less time than an engine takes to start again, so that calls end while it is away.
_OPTIONS: dict[str, Any] = {"timeout": 8, "try_timeout": 4}
_PAUSE_SECONDS = 0.3
#: Maximum time of one order, and the time after which a follower continues with another client.
_ORDER_SECONDS, _FOLLOW_SECONDS = 240, 10


@dataclass(frozen=True)
class Wanted:
    """An order to place. ``name`` is its client order id."""

    name: str
    simulate: str | None = None
    cancelled: bool = False

    @property
    def terms(self) -> dict[str, Any]:
        return {"slippage": 10, "client_order_id": self.name, "simulate": self.simulate}


@dataclass
class Story:
    """What a bot knows of one order in the end: its id and key, each update it was given, and the final record."""

    wanted: Wanted
    order_id: str = ""
    key: str = ""
    updates: list[Update] = field(default_factory=list)
    record: Order | None = None
    error: str = ""

    @property
    def last_seq(self) -> int:
        return self.updates[-1].seq if self.updates else 0

    @property
    def is_over(self) -> bool:
        return bool(self.updates) and self.updates[-1].is_terminal


@dataclass
class Told:
    """What all bots were told. ``seen`` has the updates of the followed user, in the order of their arrival."""

    stories: list[Story] = field(default_factory=list)
    seen: list[Update] = field(default_factory=list)
    counters: list[Counters] = field(default_factory=list)
    #: Outcomes that ``resolve`` settled, streams and calls that a bot began again, and clients that followed.
    resolved: int = 0
    resumed: int = 0
    followers: int = 0
    #: The user whose orders are followed.
    followed: str = ""

    def count(self, name: str) -> int:
        """The sum of a counter over all clients."""
        return sum(getattr(one, name) for one in self.counters)


def trade(base: str, user: str, wanted: Sequence[Wanted], told: Told, threads: int = 8) -> None:
    """Place the orders with one ``Client`` of several threads; each watches its orders to the end."""
    with Client(base, user=user, **_OPTIONS) as client, ThreadPoolExecutor(threads) as executor:
        told.counters.append(client.counters)
        told.stories += executor.map(partial(_live, client, told), wanted)


def _live(client: Client, told: Told, wanted: Wanted) -> Story:
    story, deadline = Story(wanted), time.monotonic() + _ORDER_SECONDS
    again = partial(_again, told, deadline)
    try:
        placing: Callable[[], PlacedOrder] = partial(client.submit, "SOL", "USDC", "1.5", **wanted.terms)
        while not story.order_id:
            try:
                placed = again(placing)
                story.order_id, story.key = placed.id, placed.key
            except OutcomeUnknown as unknown:
                told.resolved += 1
                placing = unknown.resolve
        if wanted.cancelled:
            again(partial(_cancel, client, story.order_id))
        while not story.is_over:
            again(partial(_watch, client, story))
        story.record = again(partial(client.result, story.order_id, timeout=_ORDER_SECONDS))
    except OrderEngineError as error:
        story.error = repr(error)
    return story


def _again(told: Told, deadline: float, call: Callable[[], T]) -> T:
    """Repeat a call until it has an answer. An unknown outcome is none of its failures."""
    while True:
        try:
            return call()
        except TRANSIENT:
            if time.monotonic() > deadline:
                raise
            told.resumed += 1
            time.sleep(_PAUSE_SECONDS)


def _watch(client: Client, story: Story) -> None:
    for update in client.watch(story.order_id, after=story.last_seq, timeout=_ORDER_SECONDS):
        story.updates.append(update)


def _cancel(client: Client, order_id: str) -> None:
    try:
        client.cancel(order_id)
    except TooLate:
        return


def follow(base: str, user: str, told: Told, ended: threading.Event, expected: Callable[[], set[str]]) -> None:
    """Follow all orders of a user, one client after the other with the cursor of the one before."""
    told.followed = user
    options: dict[str, Any] = {"since": datetime.now(UTC)}
    deadline = time.monotonic() + _ORDER_SECONDS
    over: set[str] = set()
    while not (ended.is_set() and expected() <= over) and time.monotonic() < deadline:
        told.followers += 1
        with Client(base, user=user, **_OPTIONS) as client:
            told.counters.append(client.counters)
            feed = client.follow(timeout=_FOLLOW_SECONDS, **options)
            try:
                for update in feed:
                    told.seen.append(update)
                    over |= {update.order_id} if update.is_terminal else set()
                    deadline = time.monotonic() + _ORDER_SECONDS
            except TRANSIENT:
                time.sleep(_PAUSE_SECONDS)
            options = {"cursor": feed.cursor}


async def trade_async(base: str, user: str, wanted: Sequence[Wanted], told: Told, tasks: int = 16) -> None:
    """Place the orders with one ``AsyncClient``, at most ``tasks`` at once, and gather their records at the end."""
    gate = asyncio.Semaphore(tasks)
    async with AsyncClient(base, user=user, **_OPTIONS) as client:
        told.counters.append(client.counters)

        async def live(one: Wanted) -> Story:
            async with gate:
                return await _live_async(client, told, one)

        stories = await asyncio.gather(*map(live, wanted))
        told.stories += stories
        await _gather(client, stories, told)


async def _live_async(client: AsyncClient, told: Told, wanted: Wanted) -> Story:
    story, deadline = Story(wanted), time.monotonic() + _ORDER_SECONDS
    again = partial(_again_async, told, deadline)
    try:
        placing: Callable[[], Awaitable[AsyncPlacedOrder]]
        placing = partial(client.submit, "SOL", "USDC", "1.5", **wanted.terms)
        while not story.order_id:
            try:
                placed = await again(placing)
                story.order_id, story.key = placed.id, placed.key
            except OutcomeUnknown as unknown:
                told.resolved += 1
                placing = unknown.resolve
        if wanted.cancelled:
            await again(partial(_cancel_async, client, story.order_id))
        while not story.is_over:
            await again(partial(_watch_async, client, story))
    except OrderEngineError as error:
        story.error = repr(error)
    return story


async def _gather(client: AsyncClient, stories: Iterable[Story], told: Told) -> None:
    over = {story.order_id: story for story in stories if story.is_over}
    gathered = partial(client.gather, list(over), timeout=_ORDER_SECONDS)
    for record in await _again_async(told, time.monotonic() + _ORDER_SECONDS, gathered):
        over[record.id].record = record


async def _again_async(told: Told, deadline: float, call: Callable[[], Awaitable[T]]) -> T:
    """As ``_again``, awaited."""
    while True:
        try:
            return await call()
        except TRANSIENT:
            if time.monotonic() > deadline:
                raise
            told.resumed += 1
            await asyncio.sleep(_PAUSE_SECONDS)


async def _watch_async(client: AsyncClient, story: Story) -> None:
    async for update in client.watch(story.order_id, after=story.last_seq, timeout=_ORDER_SECONDS):
        story.updates.append(update)


async def _cancel_async(client: AsyncClient, order_id: str) -> None:
    try:
        await client.cancel(order_id)
    except TooLate:
        return
