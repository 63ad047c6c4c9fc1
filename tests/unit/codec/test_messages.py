"""Queue messages survive writing and reading, and every other body is poison."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.messages import PoisonMessageError, order_message, read_order_message
from chalicelib.codec.replays import read_replay_message, replay_message
from chalicelib.domain.events import QuotesReceived, VenueAnswer
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.rate_limit import SlotReservation
from chalicelib.domain.tokens import Side
from chalicelib.ports.orders import Lease, StoredOrder
from chalicelib.ports.streams import (
    CheckSocket,
    CloseSockets,
    FollowUser,
    NotifyFollowers,
    OpenStream,
    RetrySocket,
    StreamReplay,
    Subscriber,
)
from tests.support.order_builders import cancelled, confirmed, failed, pending, quote, retried, routed

FAILED_VENUE = VenueAnswer("raydium", failure=Failure(FailureCode.NETWORK_ERROR, "raydium could not be reached"))
DEGRADED = QuotesReceived((FAILED_VENUE, VenueAnswer("meteora", quote())), "meteora", "the only venue with a quote")
LIVES = [
    pending(),
    pending(client_order_id="mine", simulate="timeout"),
    pending(token_in="USDC", token_out="SOL", side=Side.BUY),
    routed(pending(), decision=DEGRADED),
    retried(routed(pending())),
    confirmed(pending()),
    failed(pending()),
    cancelled(pending()),
]


@pytest.mark.parametrize("order", LIVES, ids=lambda order: order.current_status.value)
def test_an_order_arrives_as_it_was_sent(order: Any) -> None:
    sent = StoredOrder(order, frozenset({Subscriber("one")}), 1, Lease("me", 5), 9)
    # Subscribers, lease and deadline belong to the table: a copy of them would be stale.
    assert read_order_message(order_message(sent)) == StoredOrder(order, published=1)


CALLERS = strategies.builds(
    Caller,
    strategies.text(),
    strategies.frozensets(strategies.sampled_from(Scope)),
    strategies.none() | strategies.builds(Credential, strategies.text(), strategies.none() | strategies.integers(0)),
)
SUBSCRIBERS = strategies.builds(Subscriber, strategies.text(min_size=1), strategies.booleans(), strategies.booleans())
WHOLE = strategies.integers(1, 1000).map(lambda whole: whole * 10**9)


@given(strategies.integers(1, MAX_BASE_UNITS) | WHOLE)
def test_every_amount_survives_the_queue(amount: int) -> None:
    order = pending(amount_in=amount)
    assert read_order_message(order_message(StoredOrder(order))).order == order


@given(
    strategies.one_of(
        strategies.builds(
            OpenStream,
            connection_id=strategies.text(min_size=1),
            query=strategies.dictionaries(strategies.text(), strategies.text()),
            coarse=strategies.booleans(),
            caller=strategies.none() | CALLERS,
        ),
        strategies.builds(FollowUser, SUBSCRIBERS, strategies.text(), strategies.integers(0, 9)),
        strategies.builds(
            RetrySocket, SUBSCRIBERS, strategies.text(), strategies.integers(0, 999), strategies.integers(0, 9)
        ),
        strategies.builds(NotifyFollowers, strategies.text()),
        strategies.builds(CheckSocket, strategies.text(), strategies.integers(0, 2**33)),
        strategies.builds(CloseSockets, strategies.text(), strategies.text()),
    )
)
def test_a_replay_arrives_as_it_was_sent(replay: StreamReplay) -> None:
    assert read_replay_message(replay_message(replay)) == replay


RESERVED = StoredOrder(pending(), published=1, reservation=SlotReservation(7, 1_800_000_000_000, ahead=True))


def test_a_reservation_arrives_as_it_was_sent() -> None:
    assert read_order_message(order_message(RESERVED)) == RESERVED


def test_a_message_with_a_reservation_has_all_that_earlier_releases_read() -> None:
    """They read the version, ``published`` and ``order``, and ignore other fields."""
    plain = loads(order_message(replace(RESERVED, reservation=None)))
    assert {name: value for name, value in loads(order_message(RESERVED)).items() if name in plain} == plain


@pytest.mark.parametrize(
    "reservation", [[], "soon", {}, {"slot": 1, "atMs": 2}, {"slot": 1, "atMs": "x", "ahead": False}]
)
def test_an_impossible_reservation_is_poison(reservation: Any) -> None:
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(loads(order_message(RESERVED)) | {"reservation": reservation}))


GOOD_ORDER = loads(order_message(StoredOrder(routed(pending()))))
GOOD_REPLAY = loads(replay_message(OpenStream("one", {"orderId": "order-1"})))
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
    '{"v": 2}',
    '{"v": NaN}',
    "[" * 100_000,
    "\x00",
    dumps({**GOOD_ORDER, "v": 3}),
    dumps({**GOOD_ORDER, "v": "1"}),
    dumps({**GOOD_REPLAY, "v": 0}),
]


@pytest.mark.parametrize("body", NOT_MESSAGES, ids=lambda body: body[:20])
@pytest.mark.parametrize("read", [read_order_message, read_replay_message])
def test_a_body_that_is_not_a_message_of_a_known_version_is_poison(read: Any, body: str) -> None:
    with pytest.raises(PoisonMessageError):
        read(body)


def test_the_messages_of_one_queue_are_poison_on_the_other() -> None:
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(GOOD_REPLAY))
    with pytest.raises(PoisonMessageError):
        read_replay_message(dumps(GOOD_ORDER))


def paths(data: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in ``data``."""
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
    first = {"v": 2, "seq": 1, "attempt": 0, "at": "2026-01-01T00:00:00.000Z", "kind": "accepted", "data": {}}
    return dumps(first | changes)


@pytest.mark.parametrize("path", [path for path in paths(GOOD_ORDER) if isinstance(path[-1], str)], ids=str)
def test_an_order_message_without_one_of_its_fields_is_poison(path: tuple[Any, ...]) -> None:
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(changed(GOOD_ORDER, path)))


@pytest.mark.parametrize("path", [("kind",), ("replay",), ("replay", "connection_id"), ("replay", "query")])
def test_a_replay_message_without_a_required_field_is_poison(path: tuple[str, ...]) -> None:
    with pytest.raises(PoisonMessageError):
        read_replay_message(dumps(changed(GOOD_REPLAY, path)))


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
        (("order", "events"), [event(kind="flying")]),
        (("order", "events"), [event(at="2026-01-01T00:00:00")]),
        (("order", "events"), [event(at="yesterday")]),
        (("order", "events"), [event(), event()]),
        (("order",), []),
        (("published",), None),
        (("published",), "all"),
    ],
    ids=str,
)
def test_an_impossible_order_is_poison(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(changed(GOOD_ORDER, path, value)))


@pytest.mark.parametrize(
    "amount", ["0", "-1", "18446744073.709551616", "0.0000000001", "1e999999999", "1e-999999999", '"much"']
)
def test_an_impossible_amount_is_poison(amount: str) -> None:
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
def test_an_order_message_with_any_damage_is_read_or_poison(path: tuple[Any, ...], value: Any) -> None:
    try:
        read_order_message(dumps(changed(GOOD_ORDER, path, value)))
    except PoisonMessageError:
        return


@given(strategies.sampled_from(list(paths(GOOD_REPLAY))), JSON)
def test_a_replay_message_with_any_damage_is_read_or_poison(path: tuple[Any, ...], value: Any) -> None:
    try:
        read_replay_message(dumps(changed(GOOD_REPLAY, path, value)))
    except PoisonMessageError:
        return


@pytest.mark.parametrize(("field", "value"), [("connection_id", 5), ("query", "order-1"), ("query", None)])
def test_a_replay_with_a_field_of_another_type_is_poison(field: str, value: Any) -> None:
    with pytest.raises(PoisonMessageError):
        read_replay_message(dumps(changed(GOOD_REPLAY, ("replay", field), value)))


def test_an_order_whose_id_is_not_text_is_poison() -> None:
    """No read of the table could succeed: each delivery would fail, and the dead letter too, for two weeks."""
    with pytest.raises(PoisonMessageError):
        read_order_message(dumps(changed(GOOD_ORDER, ("order", "orderId"), 5)))
