"""A state machine: hypothesis submits, delivers, crashes and restores in any order, and checks after each step."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.domain.status import Status
from chalicelib.ports.streams import Subscriber
from tests.faults.result import Result
from tests.faults.virtual.client_scenarios import SIMULATED, Expected
from tests.faults.virtual.injection import Crash
from tests.faults.virtual.judge import final_violations, violations_now
from tests.faults.virtual.market_rules import FAULTS, INDEX, Armed, MarketRules
from tests.faults.virtual.outages import come_back
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

#: The engine closes a socket that stays slow for so long.
_SLOW_SECONDS = 120
_KEYS = st.sampled_from(["a", "b", "c", None])
_SIMULATED = st.sampled_from([None, None, None, *SIMULATED])


class OrderMachine(MarketRules, RuleBasedStateMachine):
    """Orders, messages and faults in any order. At the end every outage ends, and all orders must be correct."""

    #: The sum of the results of all machines.
    total = Result("any order of events (hypothesis)")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.expected = Expected()
        self.over: dict[str, int] = {}
        self.lost_streams: set[str] = set()
        self.cancelled: set[str] = set()

    @rule(key=_KEYS, simulate=_SIMULATED, subscribed=st.booleans(), fault=FAULTS)
    def submit(self, key: str | None, simulate: str | None, subscribed: bool, fault: Armed) -> None:
        """Submit an order; a client may submit the same order again under its key."""
        self._arm(fault)
        subscriber = Subscriber(f"socket-{len(self.expected.users)}") if subscribed and key is None else None
        spec = a_spec(simulate=None if key else simulate)
        try:
            made = self.world.process(
                lambda: self.world.engine.submit(ANYONE, spec, idempotency_key=key, subscriber=subscriber)
            )
        except (Crash, Exception):
            return
        self.expected.accepted.append((key or "", made.order_id))
        if subscriber:
            self.expected.users[subscriber.connection_id] = spec.user_id
            self.expected.streams.append((subscriber.connection_id, made.order_id))

    @precondition(lambda self: self.world.all_orders())
    @rule(index=INDEX, fault=FAULTS)
    def join(self, index: int, fault: Armed) -> None:
        """Open a stream of an order in any state."""
        orders = list(self.world.all_orders())
        order_id = orders[index % len(orders)]
        connection = f"joiner-{len(self.expected.users)}"
        self._arm(fault)
        self.world.connect(connection, orderId=order_id)
        self.expected.users[connection] = "tester"
        self.expected.streams.append((connection, order_id))

    @rule(index=INDEX, again=st.booleans(), fault=FAULTS)
    def deliver(self, index: int, again: bool, fault: Armed) -> None:
        """Deliver a message from a queue, and queue a duplicate if ``again`` is set."""
        due = [(queue, one) for queue in self._queues() for one in queue.visible()]
        if not due:
            return
        queue, message = due[index % len(due)]
        self._arm(fault)
        self.world.deliver(queue, message)
        if again:
            queue.put(message.body)

    @rule(fault=FAULTS)
    def watch(self, fault: Armed) -> None:
        self._arm(fault)
        self.world.watch()

    @rule(index=INDEX)
    def give_up(self, index: int) -> None:
        """Move a message of the orders queue to the dead letters, after any number of receives."""
        messages = list(self.world.queue.messages.values())
        if messages:
            message = messages[index % len(messages)]
            self.world.queue.delete(message)
            self.world.dead_letters.put(message.body)

    @rule(seconds=st.sampled_from([1, 5, 16, 31, 61]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.sleep(seconds)
        self.world.restore()

    @rule(what=st.sampled_from(["history", "queue"]))
    def outage(self, what: str) -> None:
        """Stop PostgreSQL or the orders queue for a minute."""
        part: Any = getattr(self.world, what)
        part.down = True
        self.world.schedule(60, lambda: setattr(part, "down", False))

    @precondition(lambda self: self.expected.users)
    @rule(index=INDEX, gone=st.booleans())
    def socket_fails(self, index: int, gone: bool) -> None:
        """Make a socket slow for ``_SLOW_SECONDS``, or close it."""
        users = list(self.expected.users)
        connection = users[index % len(users)]
        if gone:
            self.world.sockets.gone.add(connection)
            self.lost_streams.add(connection)
        else:
            self.world.sockets.slow.add(connection)
            self.world.schedule(_SLOW_SECONDS, lambda: self.world.sockets.slow.discard(connection))

    @rule(body=st.sampled_from(["", "no JSON", "{}", '{"v": 2}', '{"v": 3}']))
    def poison(self, body: str) -> None:
        self.world.queue.put(body)

    @invariant()
    def no_violation(self) -> None:
        assert violations_now(self.world, self.expected) == []
        for order_id, stored in self.world.all_orders().items():
            if stored.order.is_terminal:
                # A terminal order never changes (I5).
                assert self.over.setdefault(order_id, stored.order.seq) == stored.order.seq
            if order_id in self.cancelled:
                assert stored.order.status is Status.CANCELLED

    def teardown(self) -> None:
        self.world.restore(all_of_it=True)
        rested = self.world.run(hours=24)
        streams = [one for one in self.expected.streams if one[0] not in self.lost_streams]
        expected = Expected(self.expected.accepted, streams, self.expected.users)
        rested = rested and come_back(self.world, expected)
        violations = final_violations(self.world, expected)
        self.total.orders += len(self.world.all_orders())
        self.total.faults += len(self.world.injector.fired)
        assert violations == []
        assert rested, "does not come to rest"

    def _queues(self) -> list[Any]:
        return [self.world.queue, self.world.dead_letters, self.world.replay_queue, self.world.fan_out_queue]

    def _arm(self, fault: Armed) -> None:
        if fault:
            offset, kind = fault
            self.world.injector.plan[self.world.injector.calls + offset] = kind
