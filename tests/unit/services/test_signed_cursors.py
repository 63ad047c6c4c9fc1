"""A cursor leads on only the caller and the list that it was made for."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.codec import cursors
from chalicelib.domain.errors import InvalidCursorError
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.read_model import Position
from chalicelib.ports.history import OrderFilter, Page
from chalicelib.ports.secrets import SecretUnavailableError
from tests.support.callers import a_caller
from tests.support.workbench import Workbench, a_workbench

ALICE, BOB = a_caller("alice"), a_caller("bob")
OPERATOR = a_caller("alice", *Scope)


@pytest.fixture
def bench() -> Workbench:
    bench = a_workbench()
    for user_id in ("alice", "bob"):
        for _ in range(3):
            bench.submit(user_id=user_id)
            bench.clock.sleep(0.001)
    return bench


def a_page(bench: Workbench, caller: Caller = ALICE, cursor: str | None = None, **wanted: Any) -> Page:
    return bench.engine.list_orders(caller, OrderFilter(**wanted), 1, cursor)


def a_cursor(bench: Workbench, caller: Caller = ALICE, **wanted: Any) -> str:
    cursor = a_page(bench, caller, **wanted).next_cursor
    assert cursor is not None
    return cursor


def end_of(bench: Workbench) -> Position:
    return a_page(bench).orders[0].position


def test_a_cursor_leads_to_the_next_page(bench: Workbench) -> None:
    first = a_page(bench)
    second = a_page(bench, cursor=first.next_cursor)
    third = a_page(bench, cursor=second.next_cursor)
    assert len({page.orders[0].order_id for page in (first, second, third)}) == 3
    assert third.next_cursor is None


def test_every_environment_takes_the_cursors_of_the_others(bench: Workbench) -> None:
    others = a_workbench()
    assert a_page(others, cursor=a_cursor(bench)) == Page()


def test_a_cursor_of_another_caller_is_refused(bench: Workbench) -> None:
    with pytest.raises(InvalidCursorError):
        a_page(bench, BOB, a_cursor(bench))
    with pytest.raises(InvalidCursorError):
        a_page(bench, OPERATOR, a_cursor(bench, replace(OPERATOR, user_id="carol")))


def test_a_cursor_of_another_list_is_refused(bench: Workbench) -> None:
    lists: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {"status": "pending"}),
        ({"status": "pending"}, {}),
        ({"pair": "SOL/USDC"}, {"pair": "SOL/USDC", "since": bench.clock.now()}),
    ]
    for mine, other in lists:
        with pytest.raises(InvalidCursorError):
            a_page(bench, ALICE, a_cursor(bench, **mine), **other)
    with pytest.raises(InvalidCursorError):
        a_page(bench, ALICE, a_cursor(bench, OPERATOR))


def test_the_number_of_orders_may_change_from_page_to_page(bench: Workbench) -> None:
    page = bench.engine.list_orders(ALICE, OrderFilter(), 200, a_cursor(bench))
    assert len(page.orders) == 2


def test_a_cursor_that_a_client_made_is_refused(bench: Workbench) -> None:
    made = cursors.encode(*end_of(bench))
    with_signature = a_cursor(bench)
    signature = with_signature.rpartition(".")[2]
    elsewhere = cursors.encode(bench.clock.now(), end_of(bench)[1])
    changed = with_signature[:-2] + ("A" if with_signature[-2] != "A" else "B") + with_signature[-1]
    for cursor in ("", ".", made, f"{made}.", f"{elsewhere}.{signature}", changed, f".{signature}", "\ud800.é", "é"):
        with pytest.raises(InvalidCursorError):
            a_page(bench, ALICE, cursor)


def test_a_list_of_one_page_needs_no_secret(bench: Workbench) -> None:
    bench.secrets.down = True
    assert len(bench.engine.list_orders(ALICE, OrderFilter(), 50, None).orders) == 3
    with pytest.raises(SecretUnavailableError):
        a_page(bench)
