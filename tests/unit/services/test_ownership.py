"""Every use case checks the caller's scope, and shows and changes only the caller's own orders."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from inspect import signature
from types import FunctionType
from typing import get_type_hints

import pytest

from chalicelib.domain.conditions import Amendment, Launch
from chalicelib.domain.errors import MissingScopeError, OrderNotFoundError
from chalicelib.domain.identity import ANONYMOUS, Caller, Scope, unrestricted
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.swaps import SwapRequest
from chalicelib.domain.tokens import find_market
from chalicelib.engine import Engine
from chalicelib.ports.history import OrderFilter
from chalicelib.ports.streams import Connection, Subscriber
from tests.support.callers import a_caller
from tests.support.specs import a_spec
from tests.support.workbench import Workbench, a_workbench

SOL_USDC = find_market("SOL/USDC")
SOCKET = Subscriber("socket")
LAUNCH = Launch("mint", "raydium", "pool", 1, Decimal(1), Decimal(1), 0)
UNKNOWN = "00000000-0000-4000-8000-000000000000"

Call = Callable[[Workbench, Caller, str], object]


def quotes(bench: Workbench, caller: Caller, order_id: str) -> object:
    spec = a_spec()
    assert SOL_USDC is not None
    return bench.engine.queries.quotes(caller, SwapRequest(SOL_USDC, spec.token_in, spec.token_out, spec.amount_in))


def push_price(bench: Workbench, caller: Caller, order_id: str) -> object:
    assert SOL_USDC is not None
    return bench.engine.market.push_price(caller, SOL_USDC, Decimal(100))


#: The use cases that find one order, by the field of the engine and the method.
OF_ONE_ORDER: dict[str, tuple[Scope, Call]] = {
    "queries.order": (Scope.READ, lambda bench, caller, order_id: bench.engine.queries.order(caller, order_id)),
    "read_events": (Scope.READ, lambda bench, caller, order_id: bench.engine.read_events(caller, order_id, 9, 20)),
    "explain": (Scope.READ, lambda bench, caller, order_id: bench.engine.explain(caller, order_id)),
    "cancel": (Scope.TRADE, lambda bench, caller, order_id: bench.engine.cancel(caller, order_id)),
    "amend": (
        Scope.TRADE,
        lambda bench, caller, order_id: bench.engine.amend(caller, order_id, Amendment(limit_price=Decimal(300))),
    ),
    "subscriptions.join_order": (
        Scope.READ,
        lambda bench, caller, order_id: bench.engine.subscriptions.join_order(caller, SOCKET, order_id),
    ),
}
#: The use cases that name a user.
OF_A_USER: dict[str, tuple[Scope, Call]] = {
    "submit": (Scope.TRADE, lambda bench, caller, _: bench.engine.submit(caller, a_spec(user_id="alice"))),
    "preview": (Scope.READ, lambda bench, caller, _: bench.engine.preview(caller, a_spec(user_id="alice"))),
    "cancel.all_of": (Scope.TRADE, lambda bench, caller, _: bench.engine.cancel.all_of(caller, "alice")),
    "list_orders": (
        Scope.READ,
        lambda bench, caller, _: bench.engine.list_orders(caller, OrderFilter(user_id="alice"), 10, None),
    ),
    "stats": (Scope.READ, lambda bench, caller, _: bench.engine.stats(caller, "alice")),
    "user_streams.follow": (
        Scope.READ,
        lambda bench, caller, _: bench.engine.user_streams.follow(caller, SOCKET, "alice"),
    ),
    "user_streams.unfollow": (
        Scope.READ,
        lambda bench, caller, _: bench.engine.user_streams.unfollow(caller, SOCKET, "alice"),
    ),
}
OTHERS: dict[str, tuple[Scope, Call]] = {
    "queries.quotes": (Scope.READ, quotes),
    "subscriptions.leave_order": (
        Scope.READ,
        lambda bench, caller, order_id: bench.engine.subscriptions.leave_order(caller, SOCKET, order_id),
    ),
    "market.push_price": (Scope.OPERATE, push_price),
    "connections.open": (
        Scope.READ,
        lambda bench, caller, _: bench.engine.connections.open(caller, "socket", coarse=False, wanted={}),
    ),
    "state": (Scope.OPERATE, lambda bench, caller, _: bench.engine.state(caller)),
    "tickets.issue": (Scope.READ, lambda bench, caller, _: bench.engine.tickets.issue(caller)),
    "market.announce_launch": (
        Scope.OPERATE,
        lambda bench, caller, _: bench.engine.market.announce_launch(caller, LAUNCH),
    ),
}
ALL = OF_ONE_ORDER | OF_A_USER | OTHERS
#: The engine counts the requests of every caller, whatever its scopes.
WITHOUT_SCOPE = {"request_rate.admit"}


def use_cases_of_clients() -> Iterator[str]:
    """Name the public methods of the engine's fields that take a caller."""
    for field, kind in get_type_hints(Engine).items():
        for name, method in vars(kind).items() if isinstance(kind, type) else ():
            is_public = name == "__call__" or not name.startswith("_")
            if is_public and isinstance(method, FunctionType) and "caller" in signature(method).parameters:
                yield field if name == "__call__" else f"{field}.{name}"


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


@pytest.fixture
def order_id(bench: Workbench) -> str:
    """An open limit order of Alice's, which may be amended and cancelled."""
    return bench.submit(user_id="alice", type=OrderType.LIMIT, limit_price=Decimal(250))


def test_every_use_case_that_takes_a_caller_is_tested_here() -> None:
    assert set(use_cases_of_clients()) == ALL.keys() | WITHOUT_SCOPE


@pytest.mark.parametrize("name", ALL)
def test_a_use_case_needs_its_scope(bench: Workbench, order_id: str, name: str) -> None:
    scope, call = ALL[name]
    with pytest.raises(MissingScopeError, match=scope.value):
        call(bench, Caller("alice", frozenset(Scope) - {scope}), order_id)


@pytest.mark.parametrize("name", ALL)
def test_a_caller_with_the_scope_may_use_it(bench: Workbench, order_id: str, name: str) -> None:
    scope, call = ALL[name]
    call(bench, Caller("alice", frozenset({scope})), order_id)


@pytest.mark.parametrize("name", OF_ONE_ORDER)
def test_an_order_of_another_user_is_like_one_that_does_not_exist(bench: Workbench, order_id: str, name: str) -> None:
    _, call = OF_ONE_ORDER[name]
    before = bench.orders.get(order_id)
    raised = []
    for asked in (order_id, UNKNOWN):
        with pytest.raises(OrderNotFoundError) as caught:
            call(bench, a_caller("bob"), asked)
        raised.append((type(caught.value), str(caught.value).replace(asked, "")))
    assert raised[0] == raised[1]
    assert bench.orders.get(order_id) == before


@pytest.mark.parametrize("name", OF_A_USER)
def test_another_user_needs_the_scope_of_an_operator(bench: Workbench, order_id: str, name: str) -> None:
    _, call = OF_A_USER[name]
    before = bench.orders.get(order_id)
    with pytest.raises(MissingScopeError, match="operate"):
        call(bench, a_caller("bob"), order_id)
    assert bench.orders.get(order_id) == before
    call(bench, a_caller("bob", *Scope), order_id)


def test_a_list_without_a_user_holds_the_callers_orders_only(bench: Workbench) -> None:
    for user in ("alice", "bob"):
        bench.submit(user_id=user)
    bench.process_all()

    def users(caller: Caller) -> list[str]:
        return sorted(order.user_id for order in bench.engine.list_orders(caller, OrderFilter(), 10, None).orders)

    assert users(a_caller("alice")) == ["alice"]
    assert users(a_caller("carol", *Scope)) == ["alice", "bob"]


def test_statistics_without_a_user_are_about_the_callers_orders_only(bench: Workbench) -> None:
    for user in ("alice", "bob", "bob"):
        bench.submit(user_id=user)
    bench.process_all()

    def counted(caller: Caller, user_id: str | None = None) -> tuple[str | None, int]:
        stats = bench.engine.stats(caller, user_id)
        assert stats.execution is not None
        return stats.user_id, sum(stats.execution.orders.values())

    assert counted(a_caller("alice")) == ("alice", 1)
    assert counted(a_caller("carol", *Scope)) == (None, 3)
    assert counted(a_caller("carol", *Scope), "bob") == ("bob", 2)


def test_the_history_lag_of_the_engine_is_for_operators(bench: Workbench) -> None:
    assert bench.engine.stats(a_caller("alice")).lag is None
    assert bench.engine.stats(a_caller("carol", *Scope), "alice").lag is not None


def test_cancel_all_without_a_user_cancels_the_callers_orders_only(bench: Workbench) -> None:
    mine, other = bench.submit(user_id="alice"), bench.submit(user_id="bob")
    bench.engine.cancel.all_of(a_caller("alice"), None)
    assert bench.order(mine).status is Status.CANCELLED
    assert bench.order(other).status is Status.PENDING


def test_a_caller_without_authentication_has_every_scope() -> None:
    assert unrestricted("alice") == Caller("alice", frozenset(Scope))
    assert unrestricted().user_id == unrestricted("").user_id == ANONYMOUS


@pytest.mark.parametrize("name", OF_ONE_ORDER)
def test_an_operator_has_access_to_the_order_of_any_user(bench: Workbench, order_id: str, name: str) -> None:
    scope, call = OF_ONE_ORDER[name]
    call(bench, a_caller("bob", Scope.OPERATE, scope), order_id)


@pytest.mark.parametrize("name", OF_ONE_ORDER)
def test_a_caller_without_the_scope_does_not_learn_which_orders_exist(
    bench: Workbench, order_id: str, name: str
) -> None:
    scope, call = OF_ONE_ORDER[name]
    for user_id in ("alice", "bob"):
        for asked in (order_id, UNKNOWN):
            with pytest.raises(MissingScopeError, match=scope.value):
                call(bench, Caller(user_id, frozenset(Scope) - {scope}), asked)


def test_a_refused_join_pushes_no_frame_and_acknowledges_nothing(bench: Workbench, order_id: str) -> None:
    acknowledged: list[str] = []
    with pytest.raises(OrderNotFoundError):
        bench.engine.subscriptions.join_order(
            a_caller("bob"), SOCKET, order_id, acknowledge=lambda: acknowledged.append(order_id)
        )
    assert (acknowledged, dict(bench.sockets.frames)) == ([], {})


def test_leaving_an_order_of_another_user_leaves_its_subscribers(bench: Workbench, order_id: str) -> None:
    mine, other = Subscriber("mine"), Subscriber("other")
    bench.engine.subscriptions.join_order(a_caller("alice"), mine, order_id)
    bench.engine.subscriptions.leave_order(a_caller("bob"), other, order_id)
    stored = bench.orders.get(order_id)
    assert stored is not None
    assert mine in stored.subscribers


def test_a_refused_follow_gets_no_frame_of_a_later_order(bench: Workbench) -> None:
    bench.streams.connect(Connection(SOCKET.connection_id, coarse=False, expires_at=2**31))
    with pytest.raises(MissingScopeError):
        bench.engine.user_streams.follow(a_caller("bob"), SOCKET, "alice")
    bench.submit(user_id="alice")
    bench.process_all()
    assert dict(bench.sockets.frames) == {}


def test_a_refused_order_is_not_stored_and_not_queued(bench: Workbench) -> None:
    for caller in (a_caller("bob"), a_caller("alice", Scope.READ, Scope.OPERATE)):
        with pytest.raises(MissingScopeError):
            bench.engine.submit(caller, a_spec(user_id="alice"), idempotency_key="key", subscriber=SOCKET)
    assert bench.orders.unfinished_of("alice") == []
    assert bench.order_queue.bodies == []


def test_an_idempotency_key_belongs_to_its_user(bench: Workbench) -> None:
    """Two users may choose the same key, and neither learns of the other's order."""
    submissions = {
        user: bench.engine.submit(a_caller(user), a_spec(user_id=user), idempotency_key="key")
        for user in ("alice", "bob")
    }
    assert not any(submission.replayed for submission in submissions.values())
    assert submissions["alice"].order_id != submissions["bob"].order_id


def test_a_refused_market_event_moves_no_market_and_triggers_no_order(bench: Workbench, order_id: str) -> None:
    assert SOL_USDC is not None
    before = bench.markets.snapshot(SOL_USDC)
    with pytest.raises(MissingScopeError, match="operate"):
        bench.engine.market.push_price(a_caller("alice"), SOL_USDC, Decimal(1000))
    with pytest.raises(MissingScopeError, match="operate"):
        bench.engine.market.announce_launch(a_caller("alice"), LAUNCH)
    assert bench.markets.snapshot(SOL_USDC) == before
    assert not bench.markets.is_live(LAUNCH.mint)
    assert bench.order(order_id).status is Status.OPEN
