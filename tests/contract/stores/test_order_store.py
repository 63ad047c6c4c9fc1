"""The contract of ``OrderStore``, on the fake and on DynamoDB."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import Session
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as rules

from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.events import AttemptStarted, Failed, VenueAnswer, VenueQuote
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec, Priority
from chalicelib.domain.status import OrderType
from chalicelib.domain.tokens import BY_SYMBOL, Side, Token
from chalicelib.ports.orders import (
    Followers,
    IdempotencyKey,
    KeyTakenError,
    LatePush,
    Lease,
    LostRaceError,
    OrderStore,
    StoredOrder,
)
from chalicelib.ports.streams import Subscriber
from chalicelib.stores.orders import DynamoOrderStore
from orderengine.testing.fakes.clock import FakeClock
from tests.contract.stores.aws import Wire
from tests.contract.stores.racing import race
from tests.support.order_builders import (
    NOON,
    amended,
    cancelled,
    confirmed,
    failed,
    opened,
    pending,
    quotes,
    retried,
    routed,
    spec,
    triggered,
)

#: A step from one status of an order to the next.
Step = Callable[[Order], Order]
SUBSCRIBERS = frozenset(
    {
        Subscriber("fine"),
        Subscriber("coarse", coarse=True),
        Subscriber("user", via_user=True),
        Subscriber("both=:#/é", coarse=True, via_user=True),
        Subscriber("ahead", after_seq=17),
    }
)


def created(
    orders: OrderStore, order: Order | None = None, subscribers: frozenset[Subscriber] = frozenset()
) -> StoredOrder:
    return orders.create(order or pending(), 1_000, subscribers)


def begun(order: Order) -> Order:
    return order.after(AttemptStarted(), NOON, next_attempt=True)


def kept(orders: OrderStore, order_id: str) -> StoredOrder:
    found = orders.get(order_id)
    assert found is not None
    return found


def key(name: str, order: Order, expires_at: int) -> IdempotencyKey:
    return IdempotencyKey(f"alice#key#{name}", f"hash of {order.order_id}", order.order_id, expires_at)


# --- accepted orders --------------------------------------------------------------------------------------


def test_an_accepted_order_keeps_every_field_of_its_specification(orders: OrderStore) -> None:
    unlike_any_default = OrderSpec(
        user_id="carol:1@x.y-z_",
        type=OrderType.LIMIT,
        side=Side.BUY,
        token_in=BY_SYMBOL["USDT"],
        token_out=BY_SYMBOL["mSOL"],
        amount_in=12_345_678,
        slippage_bps=5_000,
        priority=Priority.HIGH,
        client_order_id="ä ünïcode # id",
        simulate="timeout:2",
        limit_price=Decimal("0.000000000000012345"),
        # No order has both, but the store has to keep each.
        launch=LaunchTerms("Mint1111111111111111111111111111", "raydium", Decimal("1.5"), Decimal("0.00001")),
        time_in_force=TimeInForce.GTD,
        expires_at=NOON + timedelta(days=3, milliseconds=7),
    )
    usual = pending().spec
    same = [
        each.name for each in fields(OrderSpec) if getattr(unlike_any_default, each.name) == getattr(usual, each.name)
    ]
    assert same == [], "each field has to differ from the usual value, or the test would not notice its loss"
    order = Order.accepted(str(uuid4()), unlike_any_default, NOON)
    answer = orders.create(order, 1_000, SUBSCRIBERS)
    assert answer == kept(orders, order.order_id) == StoredOrder(order, SUBSCRIBERS, 0, None, 1_000)


def test_absent_fields_stay_absent(orders: OrderStore) -> None:
    order = pending(client_order_id=None, simulate=None)
    created(orders, order)
    assert kept(orders, order.order_id).order == order


@pytest.mark.parametrize("symbol", ["SOL", "USDC", "BONK"])
@pytest.mark.parametrize("amount", [1, 10**5, 2 * 10**9, 2**53 + 1, MAX_BASE_UNITS - 1, MAX_BASE_UNITS])
def test_an_amount_is_stored_to_the_last_base_unit(orders: OrderStore, symbol: str, amount: int) -> None:
    other = "USDC" if symbol != "USDC" else "SOL"
    order = pending(token_in=symbol, token_out=other, amount_in=amount, side=Side.SELL)
    created(orders, order)
    assert kept(orders, order.order_id).order.spec.amount_in == amount


@rules(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount=strategies.integers(1, MAX_BASE_UNITS),
    token=strategies.sampled_from([token for token in BY_SYMBOL.values() if token.symbol != "USDC"]),
)
def test_the_table_rounds_no_amount(dynamo_orders: DynamoOrderStore, amount: int, token: Token) -> None:
    order = pending(token_in=token.symbol, amount_in=amount)
    created(dynamo_orders, order)
    assert kept(dynamo_orders, order.order_id).order.spec == order.spec


def test_every_value_of_an_events_data_stays_exact(orders: OrderStore) -> None:
    before = created(orders)
    odd = VenueQuote(
        price=Decimal("0.000000000000000001"),
        amount_out=MAX_BASE_UNITS,
        fee=2**53 + 1,
        fee_bps=Decimal("0.1"),
        price_impact_pct=Decimal("100.00"),
        liquidity=Decimal("123456789012345678901234567890.123456789"),
    )
    decision = quotes(raydium=odd)
    answers = (decision.answers[0], VenueAnswer("meteora", None, Failure(FailureCode.NETWORK_ERROR, 'é\n"')))
    after = routed(before.order, decision=replace(decision, answers=answers))
    orders.write(before, after, lease=None, deadline_ms=None)
    [*_, stored] = kept(orders, after.order_id).order.events
    assert kept(orders, after.order_id).order == after
    # Decimals that are equal may still differ in their digits.
    assert str(stored.data) == str(after.events[-1].data)


def test_an_order_that_was_never_accepted_is_not_found(orders: OrderStore) -> None:
    assert orders.get(str(uuid4())) is None


# --- idempotency keys -------------------------------------------------------------------------------------


def test_the_store_finds_each_key_of_an_order(orders: OrderStore, clock: FakeClock) -> None:
    order, soon = pending(), clock.now_ms() // 1000 + 60
    keys = [key("header", order, soon), key("body", order, soon)]
    orders.create(order, 1_000, keys=keys)
    assert [orders.find_key(each.id) for each in keys] == keys
    assert kept(orders, order.order_id).order == order


def test_an_unused_key_is_not_found(orders: OrderStore) -> None:
    assert orders.find_key("alice#key#unknown") is None


def test_a_taken_key_leaves_no_trace_of_the_second_order(orders: OrderStore, clock: FakeClock) -> None:
    first, second, soon = pending(), pending(), clock.now_ms() // 1000 + 60
    orders.create(first, 1_000, keys=[key("taken", first, soon)])
    with pytest.raises(KeyTakenError) as refused:
        orders.create(second, 1_000, SUBSCRIBERS, [key("free", second, soon), key("taken", second, soon)])
    assert refused.value.taken == (key("taken", first, soon),)
    assert orders.get(second.order_id) is None
    assert orders.find_key("alice#key#free") is None
    assert orders.find_key("alice#key#taken") == key("taken", first, soon)
    assert orders.due(10**13, 10) == [first.order_id]
    assert orders.unfinished_of("alice") == [first.order_id]


def test_a_refused_order_is_told_each_key_that_is_in_use(orders: OrderStore, clock: FakeClock) -> None:
    first, second, third = pending(), pending(), pending()
    soon = clock.now_ms() // 1000 + 60
    for order, name in ((first, "header"), (second, "body")):
        orders.create(order, 1_000, keys=[key(name, order, soon)])
    with pytest.raises(KeyTakenError) as refused:
        orders.create(third, 1_000, keys=[key("header", third, soon), key("body", third, soon)])
    assert refused.value.taken == (key("header", first, soon), key("body", second, soon))


def test_a_taken_key_costs_one_call(dynamo_orders: DynamoOrderStore, wire: Wire, clock: FakeClock) -> None:
    first, second, soon = pending(), pending(), clock.now_ms() // 1000 + 60
    dynamo_orders.create(first, 1_000, keys=[key("taken", first, soon)])
    wire.calls.clear()
    with pytest.raises(KeyTakenError):
        dynamo_orders.create(second, 1_000, keys=[key("taken", second, soon)])
    assert wire.calls == ["TransactWriteItems"]


def test_an_expired_key_is_free_again(orders: OrderStore, clock: FakeClock) -> None:
    first, second, expires_at = pending(), pending(), clock.now_ms() // 1000 + 60
    orders.create(first, 1_000, keys=[key("reused", first, expires_at)])
    clock.sleep(60)
    with pytest.raises(KeyTakenError):
        orders.create(second, 1_000, keys=[key("reused", second, expires_at + 60)])
    clock.sleep(1)
    orders.create(second, 1_000, keys=[key("reused", second, expires_at + 60)])
    assert orders.find_key("alice#key#reused") == key("reused", second, expires_at + 60)
    assert kept(orders, first.order_id).order == first


def test_of_twenty_requests_with_one_key_exactly_one_creates_an_order(orders: OrderStore, clock: FakeClock) -> None:
    soon = clock.now_ms() // 1000 + 60
    attempts = [pending() for _ in range(20)]

    def submit(number: int) -> bool:
        try:
            orders.create(attempts[number], 1_000, keys=[key("one", attempts[number], soon)])
        except KeyTakenError:
            return False
        return True

    won = race(submit)
    winner = attempts[won.index(True)]
    assert won.count(True) == 1
    assert [order for order in attempts if orders.get(order.order_id)] == [winner]
    assert orders.find_key("alice#key#one") == key("one", winner, soon)


def test_an_order_with_a_key_uses_the_shared_connection(
    dynamo_orders: DynamoOrderStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new client for each such order would cost 0.1 s of CPU and a TLS connection."""
    made: list[str] = []
    create_client = Session.create_client

    def counted(session: Session, service_name: str, *args: object, **rest: object) -> object:
        made.append(service_name)
        return create_client(session, service_name, *args, **rest)  # type: ignore[arg-type]

    for number in range(3):
        if number == 1:
            monkeypatch.setattr(Session, "create_client", counted)
        order = pending()
        dynamo_orders.create(order, 1_000, keys=[key(str(number), order, clock.now_ms() // 1000 + 60)])
    assert made == []


def test_a_transaction_conflict_is_retried(
    dynamo_orders: DynamoOrderStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB cancels one of two concurrent transactions on an item before it checks the condition."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]
    conflicts = iter([True, True, False])

    def conflicting(client: BaseClient, operation: str, arguments: Mapping[str, object]) -> object:
        if operation == "TransactWriteItems" and next(conflicts, False):
            raise ClientError(
                {
                    "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                    "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
                },
                operation,
            )
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", conflicting)
    order = pending()
    dynamo_orders.create(order, 1_000, keys=[key("k", order, clock.now_ms() // 1000 + 60)])
    assert kept(dynamo_orders, order.order_id).order == order


# --- writes -----------------------------------------------------------------------------------------------


def test_a_write_appends_its_events_and_keeps_the_earlier_ones(orders: OrderStore) -> None:
    before = created(orders)
    after = begun(before.order)
    first = orders.write(before, after, lease=Lease("me", 5_000), deadline_ms=2_000)
    second = orders.write(first, routed(after), lease=Lease("me", 6_000), deadline_ms=3_000)
    assert first == StoredOrder(after, frozenset(), 0, Lease("me", 5_000), 2_000)
    assert (
        second
        == kept(orders, after.order_id)
        == StoredOrder(routed(after), frozenset(), 0, Lease("me", 6_000), 3_000)
    )


def test_a_write_may_append_several_events(orders: OrderStore) -> None:
    before = created(orders)
    after = confirmed(before.order)
    orders.write(before, after, lease=None, deadline_ms=None)
    assert kept(orders, after.order_id).order == after


def test_an_amended_order_stays_at_each_seq_as_it_was_then(orders: OrderStore) -> None:
    placed = spec(type=OrderType.LIMIT, limit_price=Decimal(150), time_in_force=TimeInForce.GTC)
    stored = created(orders, opened(placed))
    for step in (partial(amended, limit_price="140"), triggered, begun):
        stored = orders.write(stored, step(stored.order), lease=None, deadline_ms=None)
    order = kept(orders, stored.order.order_id).order
    limits = [order.at_seq(event.seq).spec.limit_price for event in order.events]
    assert limits == [Decimal(150)] * 2 + [Decimal(140)] * 3


def test_a_write_without_a_new_event_changes_only_lease_and_deadline(orders: OrderStore) -> None:
    before = created(orders)
    same = orders.write(before, before.order, lease=Lease("me", 9), deadline_ms=7)
    assert same == kept(orders, before.order.order_id) == StoredOrder(before.order, frozenset(), 0, Lease("me", 9), 7)


def test_a_write_returns_the_current_subscribers(orders: OrderStore) -> None:
    before = created(orders, subscribers=frozenset({Subscriber("left"), Subscriber("stays")}))
    orders.join(before.order.order_id, [Subscriber("joined", coarse=True)], before.order.seq)
    orders.leave(before.order.order_id, [Subscriber("left")])
    written = orders.write(before, begun(before.order), lease=None, deadline_ms=None)
    assert written.subscribers == {Subscriber("stays"), Subscriber("joined", coarse=True)}


def test_a_write_stores_the_published_seq(orders: OrderStore) -> None:
    before = replace(created(orders), published=1)
    assert orders.write(before, begun(before.order), lease=None, deadline_ms=None).published == 1
    assert kept(orders, before.order.order_id).published == 1


def test_a_write_from_a_stale_copy_is_refused_and_changes_nothing(orders: OrderStore) -> None:
    stale = created(orders)
    now = orders.write(stale, begun(stale.order), lease=None, deadline_ms=2_000)
    with pytest.raises(LostRaceError):
        orders.write(stale, cancelled(stale.order), lease=None, deadline_ms=None)
    assert kept(orders, stale.order.order_id) == now


def test_a_write_from_a_copy_with_unstored_events_is_refused(orders: OrderStore) -> None:
    before = created(orders)
    ahead = replace(before, order=begun(before.order))
    with pytest.raises(LostRaceError):
        orders.write(ahead, routed(ahead.order), lease=None, deadline_ms=None)
    assert kept(orders, before.order.order_id) == before


def test_a_write_to_an_unknown_order_is_refused(orders: OrderStore) -> None:
    never = StoredOrder(pending())
    with pytest.raises(LostRaceError):
        orders.write(never, begun(never.order), lease=None, deadline_ms=None)
    assert orders.get(never.order.order_id) is None


# --- leases -----------------------------------------------------------------------------------------------


def leased(orders: OrderStore, until_ms: int) -> StoredOrder:
    before = created(orders)
    return orders.write(before, begun(before.order), lease=Lease("first", until_ms), deadline_ms=2_000)


def test_a_valid_lease_excludes_other_workers(orders: OrderStore, clock: FakeClock) -> None:
    held = leased(orders, clock.now_ms())
    for lease in (Lease("second", clock.now_ms() + 15_000), None):
        with pytest.raises(LostRaceError):
            orders.write(replace(held, lease=None), routed(held.order), lease=lease, deadline_ms=None)
    assert kept(orders, held.order.order_id) == held


def test_another_worker_takes_over_an_expired_lease(orders: OrderStore, clock: FakeClock) -> None:
    held = leased(orders, clock.now_ms())
    clock.sleep(0.001)
    lease = Lease("second", clock.now_ms() + 15_000)
    taken = orders.write(held, routed(held.order), lease=lease, deadline_ms=9_000)
    assert taken == kept(orders, held.order.order_id)
    assert taken.lease == lease


def test_a_worker_extends_its_own_lease(orders: OrderStore, clock: FakeClock) -> None:
    held = leased(orders, clock.now_ms() + 15_000)
    longer = Lease("first", clock.now_ms() + 30_000)
    assert orders.write(held, routed(held.order), lease=longer, deadline_ms=2_000).lease == longer


def test_a_worker_releases_its_own_lease(orders: OrderStore, clock: FakeClock) -> None:
    held = leased(orders, clock.now_ms() + 15_000)
    free = orders.write(held, held.order, lease=None, deadline_ms=2_000)
    assert free == kept(orders, held.order.order_id)
    assert free.lease is None
    next_lease = Lease("second", clock.now_ms() + 15_000)
    assert orders.write(free, routed(free.order), lease=next_lease, deadline_ms=2_000).lease == next_lease


def test_of_twenty_concurrent_workers_exactly_one_gets_the_lease(orders: OrderStore, clock: FakeClock) -> None:
    before = created(orders)
    after, until = begun(before.order), clock.now_ms() + 15_000

    def take_lease(number: int) -> bool:
        try:
            orders.write(before, after, lease=Lease(f"worker {number}", until), deadline_ms=2_000)
        except LostRaceError:
            return False
        return True

    won = race(take_lease)
    assert won.count(True) == 1
    now = kept(orders, after.order_id)
    assert (now.order, now.lease) == (after, Lease(f"worker {won.index(True)}", until))


def test_of_twenty_workers_exactly_one_takes_over_an_expired_lease(orders: OrderStore, clock: FakeClock) -> None:
    held = leased(orders, clock.now_ms())
    clock.sleep(1)

    def take_over(number: int) -> bool:
        lease = Lease(f"worker {number}", clock.now_ms() + 15_000)
        try:
            orders.write(held, held.order, lease=lease, deadline_ms=2_000)
        except LostRaceError:
            return False
        return True

    assert race(take_over).count(True) == 1


def test_of_a_concurrent_cancel_and_attempt_exactly_one_is_stored(orders: OrderStore, clock: FakeClock) -> None:
    before = created(orders)
    steps = [cancelled(before.order), begun(before.order)]

    def move(number: int) -> bool:
        try:
            orders.write(before, steps[number], lease=None, deadline_ms=None)
        except LostRaceError:
            return False
        return True

    won = race(move, threads=2)
    assert won.count(True) == 1
    assert kept(orders, before.order.order_id).order == steps[won.index(True)]


# --- lost answers (DynamoDB only: the fake is in this process) ----------------------------------------------


def test_a_repeated_write_recognizes_its_own_result(dynamo_orders: DynamoOrderStore, clock: FakeClock) -> None:
    before = created(dynamo_orders, subscribers=SUBSCRIBERS)
    after, lease = routed(before.order), Lease("me", clock.now_ms() + 15_000)
    first = dynamo_orders.write(before, after, lease=lease, deadline_ms=2_000)
    again = dynamo_orders.write(before, after, lease=lease, deadline_ms=2_000)
    assert first == again == kept(dynamo_orders, after.order_id)
    assert again.order.seq == len(again.order.events) == 3


@pytest.mark.parametrize("step", [routed, retried, confirmed, failed])
def test_a_write_whose_answer_is_lost_succeeds(dynamo_orders: DynamoOrderStore, wire: Wire, step: Step) -> None:
    order = pending() if step is not retried else routed(pending())
    before = created(dynamo_orders, order)
    after = step(before.order)
    wire.lose_answer_to.append("UpdateItem")
    won = dynamo_orders.write(before, after, lease=None, deadline_ms=None)
    assert wire.calls.count("UpdateItem") == 2
    assert won == kept(dynamo_orders, after.order_id) == StoredOrder(after)


def test_an_identical_write_of_another_worker_loses_the_race(
    dynamo_orders: DynamoOrderStore, clock: FakeClock
) -> None:
    before, until = created(dynamo_orders), clock.now_ms() + 15_000
    dynamo_orders.write(before, begun(before.order), lease=Lease("first", until), deadline_ms=2_000)
    with pytest.raises(LostRaceError) as lost:
        dynamo_orders.write(before, begun(before.order), lease=Lease("second", until), deadline_ms=2_000)
    assert lost.value.current == kept(dynamo_orders, before.order.order_id)


@pytest.mark.parametrize("operation", ["PutItem", "TransactWriteItems"])
def test_a_create_whose_answer_is_lost_succeeds(
    dynamo_orders: DynamoOrderStore, wire: Wire, clock: FakeClock, operation: str
) -> None:
    order = pending()
    keys = [key("one", order, clock.now_ms() // 1000 + 60)] if operation == "TransactWriteItems" else []
    wire.lose_answer_to.append(operation)
    assert dynamo_orders.create(order, 1_000, SUBSCRIBERS, keys).order == order
    assert wire.calls.count(operation) == 2
    assert kept(dynamo_orders, order.order_id) == StoredOrder(order, SUBSCRIBERS, 0, None, 1_000)


def test_a_join_whose_answer_is_lost_succeeds(dynamo_orders: DynamoOrderStore, wire: Wire) -> None:
    before = created(dynamo_orders)
    wire.lose_answer_to.append("UpdateItem")
    assert dynamo_orders.join(before.order.order_id, SUBSCRIBERS, before.order.seq)
    assert kept(dynamo_orders, before.order.order_id).subscribers == SUBSCRIBERS


# --- deadlines ----------------------------------------------------------------------------------------------


def test_the_longest_overdue_orders_come_first(orders: OrderStore) -> None:
    # The last digit of the id selects the partition of the index.
    ids = [str(uuid4())[:-1] + f"{number:x}" for number in range(16)]
    for number, order_id in enumerate(ids):
        orders.create(pending(order_id=order_id), 1_000 + (number * 7 % 16))
    by_age = sorted(ids, key=lambda order_id: ids.index(order_id) * 7 % 16)
    assert orders.due(1_015, 100) == by_age
    assert orders.due(1_015, 5) == by_age[:5]
    assert orders.due(1_004, 100) == by_age[:5]
    assert orders.due(999, 100) == []


def test_an_order_is_due_at_the_very_millisecond(orders: OrderStore) -> None:
    order = created(orders).order
    assert orders.due(999, 10) == []
    assert orders.due(1_000, 10) == [order.order_id]


def test_patience_spares_active_orders_alone(orders: OrderStore) -> None:
    active, terminal = created(orders), created(orders)
    ended = cancelled(terminal.order)
    orders.write(terminal, ended, lease=None, deadline_ms=1_000)
    assert orders.due(1_000, 10) == [active.order.order_id, ended.order_id]
    assert orders.due(1_000, 10, patience_ms=1) == [ended.order_id]
    assert orders.due(1_005, 10, patience_ms=5) == [active.order.order_id, ended.order_id]


def test_more_overdue_orders_than_a_page_are_found_page_by_page(orders: OrderStore) -> None:
    ids = {created(orders).order.order_id for _ in range(30)}
    seen: list[str] = []
    while found := orders.due(1_000, 7):
        seen += found
        for order_id in found:
            orders.set_deadline(kept(orders, order_id), None)
    assert len(seen) == 30
    assert set(seen) == ids


def test_a_deadline_can_be_moved_and_cleared(orders: OrderStore) -> None:
    order_id = created(orders).order.order_id
    orders.set_deadline(kept(orders, order_id), 5_000)
    assert kept(orders, order_id).deadline_ms == 5_000
    assert (orders.due(4_999, 10), orders.due(5_000, 10)) == ([], [order_id])
    orders.set_deadline(kept(orders, order_id), None)
    assert kept(orders, order_id).deadline_ms is None
    assert orders.due(10**13, 10) == []
    orders.set_deadline(replace(kept(orders, order_id), published=1), 6_000)
    assert kept(orders, order_id).published == 1
    assert orders.due(6_000, 10) == [order_id]


def test_each_write_sets_the_deadline(orders: OrderStore) -> None:
    before = created(orders)
    on = orders.write(before, begun(before.order), lease=None, deadline_ms=5_000)
    assert (orders.due(4_999, 10), orders.due(5_000, 10)) == ([], [before.order.order_id])
    orders.write(on, failed_from(on.order), lease=None, deadline_ms=None)
    assert orders.due(10**13, 10) == []


def failed_from(order: Order) -> Order:
    return order.after(Failed(Failure(FailureCode.NO_LIQUIDITY, "too small")), NOON)


def test_a_deadline_for_an_unknown_order_creates_no_item(orders: OrderStore) -> None:
    order_id = str(uuid4())
    orders.set_deadline(StoredOrder(pending(order_id=order_id)), 1_000)
    assert orders.get(order_id) is None
    assert orders.due(10**13, 10) == []


# --- the unfinished orders of a user ------------------------------------------------------------------------


def test_a_users_unfinished_orders_are_listed_oldest_first(orders: OrderStore) -> None:
    mine = [created(orders, pending(NOON + timedelta(milliseconds=number))).order for number in range(3)]
    created(orders, pending(user_id="bob"))
    assert orders.unfinished_of("alice") == [order.order_id for order in mine]
    assert orders.unfinished_of("carol") == []


@pytest.mark.parametrize("step", [confirmed, failed, cancelled])
def test_a_terminal_order_is_not_unfinished(orders: OrderStore, step: Step) -> None:
    before = created(orders)
    on = orders.write(before, before.order, lease=None, deadline_ms=1_000)
    assert orders.unfinished_of("alice") == [before.order.order_id]
    orders.write(on, step(on.order), lease=None, deadline_ms=1_000)
    assert orders.unfinished_of("alice") == []
    # The history may still lack it.
    assert orders.due(1_000, 10) == [before.order.order_id]


def test_the_unfinished_orders_of_a_period_are_found(orders: OrderStore) -> None:
    mine = [created(orders, pending(NOON + timedelta(seconds=number))).order.order_id for number in range(4)]
    second, fourth = NOON + timedelta(seconds=1), NOON + timedelta(seconds=3)
    assert orders.unfinished_of("alice", before=fourth) == mine[:3]
    assert orders.unfinished_of("alice", since=second) == mine[1:]
    assert orders.unfinished_of("alice", fourth, second) == mine[1:3]


def test_a_users_orders_that_have_ended_are_found_by_their_end(orders: OrderStore) -> None:
    ended = []
    for seconds in (3, 1, 2):
        before, at = created(orders), NOON + timedelta(seconds=seconds)
        after = before.order.after(Failed(Failure(FailureCode.NO_LIQUIDITY, "too small")), at)
        orders.set_deadline(orders.write(before, after, lease=None, deadline_ms=1_000), None)
        ended.append(after.order_id)
    created(orders)
    third, first, second = ended
    assert list(orders.ended_of("alice", NOON)) == [first, second, third]
    assert list(orders.ended_of("alice", NOON + timedelta(seconds=2))) == [second, third]
    assert list(orders.ended_of("alice", NOON + timedelta(seconds=4))) == []
    assert list(orders.ended_of("bob", NOON)) == []


def test_the_unfinished_orders_are_found_with_those_that_the_history_lacks(orders: OrderStore) -> None:
    mine, recorded, unrecorded = (
        created(orders, pending(NOON + timedelta(seconds=number))).order.order_id for number in range(3)
    )
    for order_id, deadline_ms in ((recorded, None), (unrecorded, 1_000)):
        before = orders.get(order_id)
        assert before
        after = before.order.after(Failed(Failure(FailureCode.NO_LIQUIDITY, "too small")), NOON)
        orders.write(before, after, lease=None, deadline_ms=deadline_ms)
    assert orders.unfinished_of("alice") == [mine]
    assert orders.unfinished_of("alice", with_unrecorded=True) == [mine, unrecorded]


def test_the_notes_of_late_pushes_have_the_earliest_event_and_the_latest_time(orders: OrderStore) -> None:
    before = created(orders)
    first, last = NOON + timedelta(seconds=100), NOON + timedelta(seconds=200)
    orders.note_late_push(before, first)
    orders.note_late_push(replace(before, published=1), last)
    stored = orders.get(before.order.order_id)
    assert stored
    assert stored.late_push == LatePush(0, last)


def test_a_late_push_of_its_end_moves_an_order_among_the_ended_ones(orders: OrderStore) -> None:
    before, late = created(orders), NOON + timedelta(seconds=100)
    after = before.order.after(Failed(Failure(FailureCode.NO_LIQUIDITY, "too small")), NOON)
    written = orders.write(before, after, lease=None, deadline_ms=1_000)
    orders.note_late_push(written, late)
    orders.set_deadline(written, None)
    assert list(orders.ended_of("alice", late)) == [after.order_id]
    stored = orders.get(after.order_id)
    assert stored
    assert stored.end_pushed_at == late


# --- subscribers --------------------------------------------------------------------------------------------


def test_a_subscriber_joins_only_at_the_seq_that_it_knows(orders: OrderStore) -> None:
    before = created(orders)
    order_id = before.order.order_id
    assert not orders.join(order_id, [Subscriber("early")], 0)
    assert orders.join(order_id, [Subscriber("now")], 1)
    orders.write(before, begun(before.order), lease=None, deadline_ms=None)
    assert not orders.join(order_id, [Subscriber("late")], 1)
    assert orders.join(order_id, [Subscriber("next")], 2)
    assert kept(orders, order_id).subscribers == {Subscriber("now"), Subscriber("next")}


def test_an_unknown_order_cannot_be_joined(orders: OrderStore) -> None:
    order_id = str(uuid4())
    assert not orders.join(order_id, [Subscriber("any")], 1)
    assert not orders.join(order_id, [Subscriber("any")], 0)
    assert orders.get(order_id) is None


def test_subscribers_of_every_kind_join_and_leave_together(orders: OrderStore) -> None:
    order_id = created(orders).order.order_id
    assert orders.join(order_id, SUBSCRIBERS, 1)
    assert orders.join(order_id, SUBSCRIBERS, 1), "joining again changes nothing"
    assert kept(orders, order_id).subscribers == SUBSCRIBERS
    leaving = {Subscriber("fine"), Subscriber("coarse", coarse=True)}
    orders.leave(order_id, leaving)
    assert kept(orders, order_id).subscribers == SUBSCRIBERS - leaving
    orders.leave(order_id, SUBSCRIBERS)
    assert kept(orders, order_id).subscribers == frozenset()
    assert orders.join(order_id, [Subscriber("back")], 1)


def test_a_connection_may_leave_an_order_and_stay_through_the_user_stream(orders: OrderStore) -> None:
    one, other = Subscriber("same"), Subscriber("same", via_user=True)
    order_id = created(orders, subscribers=frozenset({one, other})).order.order_id
    orders.leave(order_id, [one])
    assert kept(orders, order_id).subscribers == {other}


def test_leaving_without_a_join_is_no_error(orders: OrderStore) -> None:
    order_id = created(orders, subscribers=SUBSCRIBERS).order.order_id
    orders.leave(order_id, [Subscriber("unknown"), Subscriber("fine", coarse=True)])
    orders.leave(str(uuid4()), [Subscriber("unknown")])
    assert kept(orders, order_id).subscribers == SUBSCRIBERS


def test_a_write_returns_every_subscriber_that_joined_before_it(orders: OrderStore) -> None:
    before = created(orders)
    order_id = before.order.order_id

    def run(number: int) -> bool | frozenset[Subscriber]:
        if number == 10:
            return orders.write(before, begun(before.order), lease=None, deadline_ms=None).subscribers
        return orders.join(order_id, [Subscriber(str(number))], 1)

    outcomes = race(run)
    returned = outcomes[10]
    joined = frozenset(Subscriber(str(number)) for number, outcome in enumerate(outcomes) if outcome is True)
    assert returned == joined == kept(orders, order_id).subscribers


# --- health -------------------------------------------------------------------------------------------------


def test_a_ping_makes_no_order_and_takes_no_key(orders: OrderStore) -> None:
    orders.ping()
    orders.ping()
    assert orders.due(10**13, 10) == []
    assert orders.find_key("alice#key#ping") is None


def test_an_order_names_groups_until_they_are_removed(orders: OrderStore) -> None:
    stored = created(orders)
    order_id = stored.order.order_id
    orders.add_groups(order_id, [0, 3])
    orders.add_groups(order_id, [3, 5])
    orders.remove_group(order_id, 3)
    orders.remove_group(order_id, 7)
    assert kept(orders, order_id).groups == {0, 5}
    for number in (0, 5):
        orders.remove_group(order_id, number)
    assert kept(orders, order_id).groups == frozenset()


def test_the_followers_of_an_order_are_marked_as_subscribed(orders: OrderStore) -> None:
    stored = created(orders)
    orders.mark_followers_subscribed(stored.order.order_id)
    assert kept(orders, stored.order.order_id).followers is Followers.SUBSCRIBED


def test_an_order_of_another_user_is_like_one_that_does_not_exist(orders: OrderStore) -> None:
    stored = created(orders)
    order_id, owner = stored.order.order_id, stored.order.spec.user_id
    found = orders.get(order_id, owner)
    assert found is not None
    assert found.order == stored.order
    assert orders.get(order_id, "another") is None
    assert orders.get(str(uuid4()), owner) is None
