"""The final records of one order and of many."""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from orderengine import Client, errors
from tests.client.samples import ORDER_ID
from tests.client.scripted import Late, Script, ScriptedTransport, lost, problem
from tests.client.streams.faults import Faults, random_faults
from tests.client.streams.lives import life, lives, without
from tests.client.streams.model import Model
from tests.client.streams.shells import Awaited, Blocking

Shell = Blocking | Awaited


def many(count: int) -> list[Any]:
    return [life(n, [-5.0, n % 7 - 3.0, n % 11 * 1.0, n % 13 * 10.0 + 20.0]) for n in range(1, count + 1)]


def test_result_is_the_record_of_the_order_at_its_end(shell: Shell) -> None:
    order = life(1, [-1.0, 0.5, 2.0])
    record = shell.call(shell.client(Model(lives(order))).result(order.order_id, timeout=10.0))
    assert (record.seq, record.status, record.filled) == (3, "confirmed", True)


def test_result_ends_at_its_deadline_and_closes_its_socket(shell: Shell) -> None:
    order = life(1, [-1.0, 50.0])
    model = Model(lives(order))
    with pytest.raises(errors.DeadlineExceeded) as caught:
        shell.call(shell.client(model).result(order.order_id, timeout=10.0))
    assert caught.value.last_seq == 1
    assert model.sockets[0].is_closed


def test_gather_watches_forty_orders_with_one_socket(shell: Shell) -> None:
    orders = many(40)
    model = Model(lives(*orders))
    asked = [one.order_id for one in reversed(orders)]
    records = shell.call(shell.client(model).gather(asked))
    assert [one.id for one in records] == asked
    assert all(one.is_terminal for one in records)
    assert len(model.sockets) == 1
    assert len(model.requests) == 80


def test_gather_of_a_thousand_orders_makes_no_more_subscriptions_than_a_socket_may(shell: Shell) -> None:
    orders = many(1000)
    model = Model(lives(*orders))
    asked = [one.order_id for one in orders]
    records = shell.call(shell.client(model).gather(asked + asked[:1]))
    assert [one.id for one in records] == asked + asked[:1]
    assert all(one.is_terminal for one in records)
    assert all(len(one.written) <= 50 for one in model.sockets)


@pytest.mark.parametrize("seed", range(20))
def test_gather_ends_with_every_order_through_any_faults(seed: int) -> None:
    rng = random.Random(seed)
    random.seed(seed)
    orders = many(60)
    model = Model(lives(*orders), random_faults(rng, in_sequence=False), rng=rng)
    client = Blocking().client(model, retries=100, timeout=1e6)
    records = client.gather([one.order_id for one in orders])
    assert all(one.is_terminal for one in records)
    assert client.counters.gaps == client.counters.gaps_filled


def test_gather_ends_at_its_deadline(shell: Shell) -> None:
    model = Model(lives(*many(3)))
    with pytest.raises(errors.DeadlineExceeded):
        shell.call(shell.client(model).gather([one.order_id for one in many(3)], timeout=15.0))
    assert all(one.is_closed for one in model.sockets)


def test_gather_without_sockets_waits_by_requests(shell: Shell) -> None:
    orders = many(12)
    model = Model(lives(*orders), Faults(refuse=1.0))
    client = shell.client(model)
    records = shell.call(client.gather([one.order_id for one in orders]))
    assert all(one.is_terminal for one in records)
    assert client.counters.long_polls > 0


def test_gather_of_nothing_is_nothing(shell: Shell) -> None:
    assert shell.call(shell.client(Model({})).gather([])) == []


def test_result_and_gather_end_with_an_order_of_which_the_engine_lacks_an_event(shell: Shell) -> None:
    order = without(life(1, [-1.0, 0.5, 1.0, 2.0]), 2)
    record = shell.call(shell.client(Model(lives(order))).result(order.order_id, timeout=60.0))
    assert record.is_terminal
    client = shell.client(Model(lives(order)))
    [record] = shell.call(client.gather([order.order_id], timeout=60.0))
    assert record.is_terminal
    assert client.counters.gaps - client.counters.gaps_filled == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.result(ORDER_ID, timeout=5.0),
        lambda client: client.gather([ORDER_ID], timeout=5.0),
        lambda client: next(client.follow(timeout=5.0)),
    ],
    ids=["result", "gather", "follow"],
)
def test_the_time_of_a_call_bounds_each_request_to_an_engine_that_does_not_answer(
    call: Callable[[Client], Any],
) -> None:
    script = Script(forever=Late(100.0, problem(503, "UNAVAILABLE")), sockets=deque([lost()] * 50))
    began = script.clock
    with pytest.raises(errors.DeadlineExceeded):
        call(Client(transport=ScriptedTransport(script), user="bot-1"))
    assert script.clock - began == pytest.approx(5.0, abs=0.6)
