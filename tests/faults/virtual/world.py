"""A whole deployment in virtual time: queues that deliver, functions that are invoked, a watchdog every minute, and a
look at the market every few seconds.

Each invocation runs the engine's real handler as a process that may crash, fail or stall at any call.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from chalicelib import bootstrap
from chalicelib.adapters import Adapters
from chalicelib.bootstrap import build_engine
from chalicelib.codec.times import to_ms
from chalicelib.consumers.orders import close_dead_letters, process_orders
from chalicelib.consumers.streams import replay_streams
from chalicelib.domain.errors import BrokenRulesError, RefusedError
from chalicelib.domain.events import LaunchRefused
from chalicelib.domain.status import Status
from chalicelib.engine import Engine
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.rate_limit import RateLimitSlots
from chalicelib.settings import Settings
from chalicelib.streaming import actions, connections
from tests.faults.virtual.injection import Crash, Fault, Faulty, Injector, InlineExecutor
from tests.faults.virtual.queues import DeadLetterPort, HighPriorityPort, Message, OrderPort, Queue, ReplayPort
from tests.support.oracle import OpenLimitOrder, Oracle, Verdict
from tests.support.workbench import a_workbench

#: The watchdog's schedule, and what a frozen process sleeps: longer than a lease.
WATCH_SECONDS = 60
STALL_SECONDS = 20
#: How often the market is looked at, while anything waits for it.
LOOK_SECONDS = 5


class World:
    """``plan`` says which calls go wrong; equal seeds give equal worlds."""

    def __init__(
        self, plan: Mapping[int, Fault] | None = None, seed: int = 0, rate_limit: int = 0, **changes: Any
    ) -> None:
        """``changes`` are settings."""
        self.random = Random(seed)
        venue_seed = f"faults-{seed}"
        venues: dict[str, Any] = {"venue_time_scale": Decimal(1), "venue_seed": venue_seed}
        bench = a_workbench(**venues, rate_limit_per_minute=rate_limit, **changes)
        self.rate_limit = rate_limit
        self.clock = bench.clock
        self.orders, self.ledger, self.history = bench.orders, bench.ledger, bench.history
        self.sockets, self.streams = bench.sockets, bench.streams
        self.open_order_index, self.markets = bench.open_order_index, bench.markets
        now_ms = self.clock.now_ms
        self.unprocessable = Queue("kept", now_ms, visibility_seconds=30)
        self.dead_letters = Queue("dead", now_ms, visibility_seconds=360)
        self.queue = Queue("orders", now_ms, visibility_seconds=360, max_receives=5, dead_letters=self.dead_letters)
        self.high_priority = Queue(
            "high_priority", now_ms, visibility_seconds=15, max_receives=5, dead_letters=self.dead_letters
        )
        self.replay_queue = Queue("stream", now_ms, visibility_seconds=180, max_receives=5)
        self.injector = Injector(dict(plan or {}), self._stall, now_ms)
        self.engine = self._engine(bench.engine.settings, bench.adapters.rate_limit_slots)
        self._handlers: list[tuple[Queue, Callable[..., Any]]] = [
            (self.queue, process_orders),
            (self.dead_letters, close_dead_letters),
            (self.replay_queue, replay_streams),
        ]
        self._restores: list[tuple[int, Callable[[], None]]] = []
        self._next_watch_ms = now_ms() + WATCH_SECONDS * 1000
        self._next_look_ms = now_ms() + LOOK_SECONDS * 1000
        self._oracle = Oracle(venue_seed, "realistic", self.markets.snapshot)

    def _engine(self, settings: Settings, slots: RateLimitSlots) -> Engine:
        ports = {
            "orders": self.orders,
            "streams": self.streams,
            "rate_limit_slots": slots,
            "ledger": self.ledger,
            "order_queue": OrderPort(self.queue, self.high_priority),
            "high_priority_queue": HighPriorityPort(self.high_priority),
            "dead_letter_queue": DeadLetterPort(self.dead_letters, self.unprocessable),
            "replay_queue": ReplayPort(self.replay_queue),
            "sockets": self.sockets,
            "history": self.history,
            "open_order_index": self.open_order_index,
            "markets": self.markets,
        }
        adapters: Any = Adapters(**{name: Faulty(port, name, self.injector) for name, port in ports.items()})
        # Threads would take turns as they please, and the budget for pushes would be real time.
        clock = SimpleNamespace(monotonic=lambda: self.clock.now_ms() / 1000)
        with patch.multiple(bootstrap, ThreadPoolExecutor=InlineExecutor, time=clock):
            engine = build_engine(settings, adapters, self.clock.now, self.clock.sleep)
        return replace(
            engine,
            submit=replace(engine.submit, new_id=lambda: str(UUID(int=self.random.getrandbits(128), version=4))),
            execute=replace(engine.execute, uniform=self.random.uniform),
        )

    # --- what happens -------------------------------------------------------------------------------------

    def process(self, work: Callable[[], Any]) -> Any:
        """Run something as one invocation. :raises Crash: if it was killed."""
        return self.injector.run(work)

    def connect(self, connection_id: str, **query: str) -> None:
        """A client opens a socket, again and again until it is open."""
        event = {"requestContext": {"connectionId": connection_id}, "queryStringParameters": query or None}
        self.insist(lambda: connections.connect(self.engine, event))

    def say(self, connection_id: str, body: str) -> None:
        """One message over a socket. :raises Crash: if the invocation was killed."""
        event = {"requestContext": {"connectionId": connection_id}, "body": body}
        self.process(lambda: actions.handle_message(self.engine, event))

    def insist(self, work: Callable[[], Any]) -> Any:
        """Do something as a client that tries again, a second later, until it is answered.

        :raises BrokenRulesError: if that is the answer.
        """
        for _ in range(10):
            try:
                return self.process(work)
            except BrokenRulesError:
                raise
            except (Crash, Exception):
                self.clock.sleep(1)
        raise AssertionError("a client was never answered")

    def once(self, work: Callable[[], Any]) -> Any:
        """Do something once, as one invocation; ``None`` if it is killed, refused or fails.

        :raises TypeError, AttributeError: for a call that the engine does not offer, which no client can make.
        """
        try:
            return self.process(work)
        except (TypeError, AttributeError):
            raise
        except (Crash, Exception):
            return None

    def deliver(self, queue: Queue, message: Message) -> None:
        """Have the queue's function work on one message."""
        handler = next(handler for of, handler in self._handlers if of is queue)
        event = queue.receive(message)
        receipt = message.receipt
        try:
            answer = self.process(lambda: handler(self.engine, event))
        except Crash:
            return
        # A receipt that a later delivery has made void no longer deletes.
        if not answer["batchItemFailures"] and message.receipt == receipt:
            queue.delete(message)

    def watch(self) -> None:
        """The watchdog's schedule fires."""
        try:
            self.process(self.engine.watchdog)
        except (Crash, Exception):
            # A scheduled function that fails comes again with the next tick.
            return

    def look(self) -> None:
        """The market is looked at."""
        try:
            self.process(self.engine.market.look)
        except (Crash, Exception):
            # The next look finds whatever this one left.
            return

    def later(self, seconds: float, work: Callable[[], Any]) -> None:
        """A client does something in so many seconds, and again until the engine answers, if with a refusal."""

        def until_answered() -> Any:
            with suppress(RefusedError):
                return work()

        self.back_at(seconds, lambda: self.insist(until_answered))

    def back_at(self, seconds: float, restore: Callable[[], None]) -> None:
        """Have something done in so many seconds."""
        self._restores.append((self.clock.now_ms() + int(seconds * 1000), restore))

    def restore(self, *, all_of_it: bool = False) -> None:
        """Undo what was to be undone by now."""
        for entry in [one for one in self._restores if all_of_it or one[0] <= self.clock.now_ms()]:
            self._restores.remove(entry)
            entry[1]()

    # --- time goes on ---------------------------------------------------------------------------------------

    def step(self, until_ms: int | None = None) -> bool:
        """Do the next thing that is due, letting time pass up to it; False if there is none up to ``until_ms``."""
        self.restore()
        due = [(queue, message) for queue, _ in self._handlers for message in queue.visible()]
        if due:
            self.deliver(*self.random.choice(due))
            return True
        waiting = [at_ms for at_ms, _ in self._restores]
        waiting += [message.visible_at_ms for queue, _ in self._handlers for message in queue.messages.values()]
        if not waiting and self.is_quiet():
            return False
        if self._is_anything_watched():
            waiting.append(max(self._next_look_ms, self.clock.now_ms()))
        next_ms = min([*waiting, self._next_watch_ms])
        if until_ms is not None and next_ms > until_ms:
            return False
        self._advance_to(next_ms)
        if self.clock.now_ms() >= self._next_watch_ms:
            self._next_watch_ms = self.clock.now_ms() + WATCH_SECONDS * 1000
            self.watch()
        if self.clock.now_ms() >= self._next_look_ms and self._is_anything_watched():
            self._next_look_ms = self.clock.now_ms() + LOOK_SECONDS * 1000
            self.look()
        return True

    def run(self, hours: float = 3) -> bool:
        """Let everything come to rest; False if it does not within some virtual hours."""
        until_ms = self.clock.now_ms() + int(hours * 3_600_000)
        while self.step():
            if self.clock.now_ms() > until_ms:
                return False
        return True

    def is_quiet(self) -> bool:
        """Whether every order is terminal, or open while the market neither fills nor expires it."""
        return not self.markets.pending_launches() and all(map(self._rests, self.all_orders().values()))

    def _rests(self, stored: StoredOrder) -> bool:
        order = stored.order
        if order.status is not Status.OPEN:
            return stored.deadline_ms is None
        expires_at, spec = order.expires_at, order.spec
        if expires_at is None or stored.deadline_ms != to_ms(expires_at) or expires_at <= self.clock.now():
            return False
        if spec.launch:
            refused = {event.data.launch.id for event in order.events if isinstance(event.data, LaunchRefused)}
            return self.launches_of(spec.launch.mint) <= refused
        resting = OpenLimitOrder(spec.pair, spec.side, spec.amount_in, spec.limit_price or Decimal(), expires_at)
        return self._oracle.verdict(resting, self.clock.now_ms()) is not Verdict.FILLS

    def launches_of(self, mint: str) -> set[str]:
        """The ids of the announced launches of a mint."""
        return {launch.id for launch in self.markets._launches.values() if launch.mint == mint}

    def _is_anything_watched(self) -> bool:
        statuses = {stored.order.status for stored in self.all_orders().values()}
        return Status.OPEN in statuses or bool(self.markets.pending_launches())

    def all_orders(self) -> Mapping[str, Any]:
        return self.orders._kept  # the fake has no other way to list them, nor has the engine

    def _advance_to(self, at_ms: int) -> None:
        if (behind := at_ms - self.clock.now_ms()) > 0:
            self.clock.sleep(behind / 1000)

    def _stall(self) -> None:
        """The world goes on without the process that is frozen."""
        self.go_on(STALL_SECONDS)

    def go_on(self, seconds: float) -> None:
        """Let so much time pass, with all that is due in it."""
        until_ms = self.clock.now_ms() + int(seconds * 1000)
        while self.step(until_ms) and self.clock.now_ms() < until_ms:
            pass
        self._advance_to(until_ms)
