"""The messages on the queues: what goes in comes out, and what makes no sense is poison and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.messages import PoisonMessageError, order_message, read_order_message
from chalicelib.codec.replays import read_replay_message, replay_message
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.tokens import Side
from chalicelib.ports.orders import Lease, StoredOrder
from chalicelib.ports.streams import Replay, Subscriber
from tests.support.order_builders import cancelled, confirmed, failed, pending, retried, routed

LIVES = [
    pending(),
    pending(client_order_id="mine", simulate="timeout"),
    pending(token_in="USDC", token_out="SOL", side=Side.BUY),
    routed(pending(), rQuote=None, degraded=True),
    retried(routed(pending())),
    confirmed(pending()),
    failed(pending()),
    cancelled(pending()),
]


@pytest.mark.parametrize("order", LIVES, ids=lambda order: order.current_status.value)
def test_an_order_arrives_as_it_was_sent(order: Any) -> None:
    sent = StoredOrder(order, frozenset({Subscriber("one")}), 1, Lease("me", 5), 9)
    # Subscribers, lease and attention are the table's: a copy of them would be stale.
    assert read_order_message(order_message(sent)) == StoredOrder(order, published=1)


WHOLE = strategies.integers(1, 1000).map(lambda whole: whole * 10**9)


@given(strategies.integers(1, MAX_BASE_UNITS) | WHOLE)
def test_no_amount_is_changed_or_refused_on_its_way(amount: int) -> None:
    order = pending(amount_in=amount)
    assert read_order_message(order_message(StoredOrder(order))).order == order


@given(
    strategies.builds(
        Replay,
        connection_id=strategies.text(min_size=1),
        wanted=strategies.dictionaries(strategies.text(), strategies.text() | strategies.integers()),
        coarse=strategies.booleans(),
        via_user=strategies.booleans(),
        look=strategies.integers(0, 9),
        tries=strategies.integers(0, 9),
    )
)
def test_a_replay_arrives_as_it_was_sent(replay: Replay) -> None:
    assert read_replay_message(replay_message(replay)) == replay


GOOD_ORDER = loads(order_message(StoredOrder(routed(pending()))))
GOOD_REPLAY = loads(replay_message(Replay("one", {"orderId": "order-1"})))
NOT_MESSAGES = [
    "",
    "{",
    "null",
    "[]",
    "1",
    '"text"',
    "{}",
    "NaN",
    '{"v": 1}',
    '{"v": NaN}',
    "[" * 100_000,
    "\x00",
    dumps({**GOOD_ORDER, "v": 2}),
    dumps({**GOOD_ORDER, "v": "1"}),
    dumps({**GOOD_REPLAY, "v": 0}),
]


@pytest.mark.parametrize("body", NOT_MESSAGES, ids=lambda body: body[:20])
@pytest.mark.parametrize("read", [read_order_message, read_replay_message])
def test_what_is_no_message_of_this_version_is_poison(read: Any, body: str) -> None:
    with pytest.raises(PoisonMessageError):
        read(body)


def test_the_messages_of_one_queue_are_poison_on_the_other() -> None:
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(GOOD_REPLAY))
    with pytest.raises(PoisonMessageError):
        read_replay_message(dumps(GOOD_ORDER))


def paths(data: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands in ``data``."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in items:
        yield (*here, name)
        yield from paths(value, (*here, name))


def changed(data: Any, path: tuple[Any, ...], *new: Any) -> Any:
    """A copy of ``data`` with another value at ``path``, or none."""
    copy = dict(data) if isinstance(data, dict) else list(data)
    if len(path) > 1:
        copy[path[0]] = changed(copy[path[0]], path[1:], *new)
    elif new:
        copy[path[0]] = new[0]
    else:
        del copy[path[0]]
    return copy


def event(**changes: Any) -> str:
    first = {"seq": 1, "status": "pending", "attempt": 0, "at": "2026-01-01T00:00:00.000Z", "meta": {}}
    return dumps(first | changes)


@pytest.mark.parametrize("path", [path for path in paths(GOOD_ORDER) if isinstance(path[-1], str)], ids=str)
def test_an_order_message_without_one_of_its_fields_is_poison(path: tuple[Any, ...]) -> None:
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(changed(GOOD_ORDER, path)))


@pytest.mark.parametrize("field", ["connection_id", "wanted"])
def test_a_replay_message_without_what_it_needs_is_poison(field: str) -> None:
    with pytest.raises(PoisonMessageError):
        read_replay_message(dumps(changed(GOOD_REPLAY, (field,))))


def test_a_replay_message_with_an_unknown_field_is_poison() -> None:
    with pytest.raises(PoisonMessageError):
        read_replay_message(dumps({**GOOD_REPLAY, "priority": "high"}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("order", "spec", "tokenIn"), "DOGE"),
        (("order", "spec", "tokenOut"), "DOGE"),
        (("order", "spec", "tokenIn"), []),
        (("order", "spec", "type"), "stop"),
        (("order", "spec", "side"), "hold"),
        (("order", "spec", "priority"), "high_priority"),
        (("order", "spec", "amountIn"), None),
        (("order", "spec", "slippageBps"), "many"),
        (("order", "events"), None),
        (("order", "events"), [{}]),
        (("order", "events"), ["not an event"]),
        (("order", "events"), [event(seq=2)]),
        (("order", "events"), [event(status="flying")]),
        (("order", "events"), [event(at="2026-01-01T00:00:00")]),
        (("order", "events"), [event(at="yesterday")]),
        (("order", "events"), [event(), event()]),
        (("order",), []),
        (("published",), None),
        (("published",), "all"),
    ],
    ids=str,
)
def test_an_order_that_cannot_be_is_poison(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(changed(GOOD_ORDER, path, value)))


@pytest.mark.parametrize(
    "amount", ["0", "-1", "18446744073.709551616", "0.0000000001", "1e999999999", "1e-999999999", '"much"']
)
def test_an_amount_that_cannot_be_is_poison(amount: str) -> None:
    body = dumps(GOOD_ORDER).replace('"amountIn":2,', f'"amountIn":{amount},')
    assert amount in body
    with pytest.raises(PoisonMessageError):
        read_order_message(body)


JSON = strategies.recursive(
    strategies.one_of(
        strategies.none(),
        strategies.booleans(),
        strategies.integers(),
        strategies.decimals(allow_nan=False, allow_infinity=False, places=3),
        strategies.text(),
    ),
    lambda inner: strategies.one_of(strategies.lists(inner), strategies.dictionaries(strategies.text(), inner)),
    max_leaves=5,
)


@given(strategies.sampled_from(list(paths(GOOD_ORDER))), JSON)
def test_whatever_stands_in_an_order_message_it_is_read_or_poison(path: tuple[Any, ...], value: Any) -> None:
    try:
        read_order_message(dumps(changed(GOOD_ORDER, path, value)))
    except PoisonMessageError:
        return


@given(strategies.sampled_from(list(paths(GOOD_REPLAY))), JSON)
def test_whatever_stands_in_a_replay_message_it_is_read_or_poison(path: tuple[Any, ...], value: Any) -> None:
    try:
        read_replay_message(dumps(changed(GOOD_REPLAY, path, value)))
    except PoisonMessageError:
        return


@pytest.mark.parametrize(("field", "value"), [("connection_id", 5), ("wanted", "order-1"), ("wanted", None)])
def test_a_replay_for_nobody_or_of_nothing_is_poison(field: str, value: Any) -> None:
    with pytest.raises(PoisonMessageError):
        read_replay_message(dumps({**GOOD_REPLAY, field: value}))


def test_an_order_whose_id_is_no_text_is_poison() -> None:
    """The table could not be asked for it: each delivery would fail, and the dead letter too, for two weeks."""
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(changed(GOOD_ORDER, ("order", "orderId"), 5)))
