"""A whole deployment in virtual time: queues deliver, functions are invoked, and the watchdog and the market watcher
look every few seconds.

Each invocation runs the engine's real handler as a process that may crash, fail or stall at any call.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from decimal import Decimal
from random import Random
from typing import Any

from chalicelib.adapters import Adapters
from chalicelib.bootstrap import build_engine
from chalicelib.codec.times import to_ms
from chalicelib.domain.errors import BrokenRulesError, RefusedError
from chalicelib.domain.events import LaunchRefused
from chalicelib.domain.status import Status
from chalicelib.engine import Engine
from chalicelib.ports.orders import StoredOrder
from chalicelib.streaming import actions, connections
from orderengine.testing.deployment import Deployment
from orderengine.testing.parts import SETTINGS, Parts, new_parts
from orderengine.testing.queues import Message, Queue
from tests.faults.virtual.injection import Crash, Fault, Faulty, Injector
from tests.support.oracle import OpenLimitOrder, Oracle, Verdict

#: The interval of the watchdog, and of the market watcher while an order is open or a launch is pending.
LOOK_SECONDS = 5
#: The pause of a frozen process, which is longer than a lease.
STALL_SECONDS = 20


class World(Deployment):
    """A deployment whose calls fail by ``plan``; runs with equal seeds are equal."""

    def __init__(
        self, plan: Mapping[int, Fault] | None = None, seed: int = 0, rate_limit: int = 0, **changes: Any
    ) -> None:
        """``changes`` override settings of the engine."""
        venues: dict[str, Any] = {"venue_time_scale": Decimal(1), "venue_seed": f"faults-{seed}"}
        settings = replace(SETTINGS, **venues, rate_limit_per_minute=rate_limit, **changes)
        parts = new_parts(settings)
        self.rate_limit = rate_limit
        self.sockets = parts.sockets
        self.injector = Injector(dict(plan or {}), self._stall, parts.clock.now_ms)
        super().__init__(settings, parts, Random(seed), **self.more_ports(parts))
        self._restores: list[tuple[int, Callable[[], None]]] = []
        self._next_watch_ms = self.clock.now_ms() + LOOK_SECONDS * 1000
        self._next_look_ms = self.clock.now_ms() + LOOK_SECONDS * 1000
        self._oracle = Oracle(settings.venue_seed, "realistic", self.markets.snapshot)

    def more_ports(self, parts: Parts) -> dict[str, Any]:
        """Return ports that take the places of fakes."""
        return {}

    def new_engine(self) -> Engine:
        """An engine whose calls to its ports the injector counts."""
        ports = {port.name: getattr(self.adapters, port.name) for port in fields(Adapters)}
        adapters: Any = Adapters(**{name: Faulty(port, name, self.injector) for name, port in ports.items()})
        return build_engine(self.settings, adapters, self._runtime())

    # --- invocations --------------------------------------------------------------------------------------

    def process(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` as one invocation.

        :raises Crash: if a fault kills the process.
        """
        return self.injector.run(work)

    def connect(self, connection_id: str, **query: str) -> None:
        """Open a socket as a client that retries until the engine accepts it."""
        parameters = {name: [value] for name, value in query.items()}
        event = {"requestContext": {"connectionId": connection_id}, "multiValueQueryStringParameters": parameters}
        self.retry_until_answered(lambda: connections.connect(self.engine, event))

    def send_message(self, connection_id: str, body: str) -> None:
        """Send a message over a socket.

        :raises Crash: if a fault kills the invocation.
        """
        event = {"requestContext": {"connectionId": connection_id}, "body": body}
        self.process(lambda: actions.handle_message(self.engine, event))

    def retry_until_answered(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` as a client that retries after a second until the engine answers.

        :raises BrokenRulesError: if the engine refuses the order.
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
        """Run ``work`` once, as one invocation; return ``None`` if the engine is killed, refuses or fails.

        :raises TypeError, AttributeError: for a call that the engine does not offer, which no client can make.
        """
        try:
            return self.process(work)
        except (TypeError, AttributeError):
            raise
        except (Crash, Exception):
            return None

    def deliver(self, queue: Queue, message: Message) -> None:
        """Invoke the function of the queue with one message."""
        handler = next(handler for of, handler in self.handlers if of is queue)
        event = queue.receive(message)
        receipt = message.receipt
        try:
            answer = self.process(lambda: handler(self.engine, event))
        except Crash:
            return
        # A later delivery invalidates the receipt, which then deletes nothing.
        if not answer["batchItemFailures"] and message.receipt == receipt:
            queue.delete(message)

    def watch(self) -> None:
        """Run one look of the watchdog."""
        try:
            self.process(self.engine.watchdog)
        except (Crash, Exception):
            # The next look repeats a failed one.
            return

    def look(self) -> None:
        """Run one look of the market watcher."""
        try:
            self.process(self.engine.market.look)
        except (Crash, Exception):
            # The next look finds the orders that this look left.
            return

    def later(self, seconds: float, work: Callable[[], Any]) -> None:
        """Schedule a client's call after ``seconds``; the client retries until the engine answers or refuses."""

        def until_answered() -> Any:
            with suppress(RefusedError):
                return work()

        self.schedule(seconds, lambda: self.retry_until_answered(until_answered))

    def schedule(self, seconds: float, restore: Callable[[], None]) -> None:
        """Schedule a function to run after ``seconds``."""
        self._restores.append((self.clock.now_ms() + int(seconds * 1000), restore))

    def restore(self, *, all_of_it: bool = False) -> None:
        """Run the scheduled functions that are due, or all of them."""
        for entry in [one for one in self._restores if all_of_it or one[0] <= self.clock.now_ms()]:
            self._restores.remove(entry)
            entry[1]()

    # --- virtual time ---------------------------------------------------------------------------------------

    def step(self, until_ms: int | None = None) -> bool:
        """Advance the clock to the next due event and process it; return False if none is due before ``until_ms``."""
        self.restore()
        due = [(queue, message) for queue, _ in self.handlers for message in queue.visible()]
        if due:
            self.deliver(*self.random.choice(due))
            return True
        waiting = [at_ms for at_ms, _ in self._restores]
        waiting += [message.visible_at_ms for queue, _ in self.handlers for message in queue.messages.values()]
        if not waiting and self.is_quiet():
            return False
        next_ms = min([*waiting, *self.look_times()])
        if until_ms is not None and next_ms > until_ms:
            return False
        self._advance_to(next_ms)
        self.run_due_looks()
        return True

    def look_times(self) -> list[int]:
        """Return when the next looks are due."""
        if self.awaits_the_market():
            return [self._next_watch_ms, max(self._next_look_ms, self.clock.now_ms())]
        return [self._next_watch_ms]

    def run_due_looks(self) -> None:
        if self.clock.now_ms() >= self._next_watch_ms:
            self._next_watch_ms = self.clock.now_ms() + LOOK_SECONDS * 1000
            self.watch()
        if self.clock.now_ms() >= self._next_look_ms and self.awaits_the_market():
            self._next_look_ms = self.clock.now_ms() + LOOK_SECONDS * 1000
            self.look()

    def run(self, hours: float = 3) -> bool:
        """Step until no work is left; return False if some is left after this many virtual hours."""
        until_ms = self.clock.now_ms() + int(hours * 3_600_000)
        while self.step():
            if self.clock.now_ms() > until_ms:
                return False
        return True

    def is_quiet(self) -> bool:
        """Return whether no launch is pending and every order is terminal, or open and neither filled nor expired."""
        return not self.markets.pending_launches() and all(map(self._is_quiescent, self.all_orders().values()))

    def _is_quiescent(self, stored: StoredOrder) -> bool:
        order = stored.order
        if order.status is not Status.OPEN:
            return stored.deadline_ms is None
        expires_at, spec = order.expires_at, order.spec
        if expires_at is None or stored.deadline_ms != to_ms(expires_at) or expires_at <= self.clock.now():
            return False
        if spec.launch:
            refused = {event.data.launch.id for event in order.events if isinstance(event.data, LaunchRefused)}
            return self._launches_of(spec.launch.mint) <= refused
        open_order = OpenLimitOrder(spec.pair, spec.side, spec.amount_in, spec.limit_price or Decimal(), expires_at)
        return self._oracle.verdict(open_order, self.clock.now_ms()) is not Verdict.FILLS

    def _launches_of(self, mint: str) -> set[str]:
        """Return the ids of the announced launches of a mint."""
        return {launch.id for launch in self.markets._launches.values() if launch.mint == mint}

    def _advance_to(self, at_ms: int) -> None:
        if (behind := at_ms - self.clock.now_ms()) > 0:
            self.clock.sleep(behind / 1000)

    def hold_repairs(self, seconds: float) -> None:
        """Let no look, and no queued message of an order, move an order on before this time."""
        until_ms = self.clock.now_ms() + int(seconds * 1000)
        self._next_watch_ms = self._next_look_ms = until_ms
        for message in self.queue.messages.values():
            message.visible_at_ms = max(message.visible_at_ms, until_ms)

    def _stall(self) -> None:
        """Advance the world while the current process is frozen."""
        self.advance(STALL_SECONDS)

    def advance(self, seconds: float) -> None:
        """Advance the clock by ``seconds`` and process the events that become due."""
        until_ms = self.clock.now_ms() + int(seconds * 1000)
        while self.step(until_ms) and self.clock.now_ms() < until_ms:
            pass
        self._advance_to(until_ms)
