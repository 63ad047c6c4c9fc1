"""The limits of the deployed stack: the API delays orders over the rate limit, and refuses orders beyond the longest
delay with ``Retry-After``.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.e2e.client import Client, parse
from tests.e2e.in_flight import SLOTS, most_in_flight
from tests.support.stack import running_stack

LIMIT = 3


def test_orders_over_the_rate_limit_are_delayed_and_beyond_the_maximum_delay_refused(tmp_path: Path) -> None:
    environment = {"VENUE_TIME_SCALE": "0", "RATE_LIMIT_PER_MINUTE": str(LIMIT)}
    with running_stack(tmp_path, environment) as stack:
        client = Client(stack.endpoints["http"], stack.endpoints["ws"])
        users = ["bob"] * (LIMIT + 1) + ["alice"] * 19 * LIMIT
        answers = [client.order(userId=user, clientOrderId=f"n{number}") for number, user in enumerate(users)]
        codes = [answer.status_code for answer in answers]
        # LIMIT orders start at once, and LIMIT more in each minute of the 15 minutes that SQS can delay a message.
        # The first few orders of each user may be ahead of the many orders of another user.
        taken = codes.index(429)
        assert 15 * LIMIT <= taken < 16 * LIMIT + 2 * 10
        refused = answers[taken]
        assert parse(refused.text)["code"] == "RATE_LIMITED"
        assert parse(refused.text)["retryAfter"] == int(refused.headers["Retry-After"]) > 0
        # A repeated order gets its first answer although the API accepts no new order.
        assert client.order(userId="bob", clientOrderId="n0").headers["Idempotent-Replayed"] == "true"

        state = client.engine.engine()
        assert state.rate_limit is not None
        assert state.rate_limit.per_minute == LIMIT
        assert (state.waiting.rate_limited or 0) > 13 * LIMIT
        assert state.waiting.next_start_at is not None
        assert state.at < state.waiting.next_start_at

        accepted = [parse(answer.text)["orderId"] for answer in answers[:taken]]
        cancel_delayed_orders(client, accepted[LIMIT + 1 :])
        ids = accepted[: LIMIT + 1]
        for order_id in ids:
            client.ended(order_id)
        starts = [client.engine.events(order_id)[1].at for order_id in ids]
        assert (starts[LIMIT] - starts[0]).total_seconds() >= 60
        pending = client.engine.events(ids[LIMIT])[0]
        assert datetime.fromisoformat(pending.meta["startsAt"]) <= starts[LIMIT]


def cancel_delayed_orders(client: Client, ids: list[str]) -> None:
    """Cancel the last order over HTTP, the second last over a socket, and the rest with one request."""
    *rest, second, first = ids
    with client.socket(f"/ws/orders/{first}") as socket:
        answer = client.request("DELETE", f"/api/orders/{first}")
        assert (answer.status_code, parse(answer.text)["outcome"]) == (200, "cancelled")
        socket.until_terminal(first)
        assert socket.updates(first)[-1] == (2, "cancelled")
        socket.say(action="cancel_order", orderId=second, requestId="c")
        ack = socket.until("ack", requestId="c")
        assert (ack["orderId"], ack["outcome"], ack["seq"]) == (second, "cancelled", 2)
    assert client.request("DELETE", f"/api/orders/{first}").text == answer.text
    cancelled = {verdict.id for verdict in client.engine.cancel_all("alice").cancelled}
    assert cancelled <= set(rest)
    # Alice's first orders were ahead of Bob's fourth, and may have started.
    assert {client.record(order_id)["status"] for order_id in set(rest) - cancelled} <= {"confirmed"}
    assert len(cancelled) > len(rest) / 2


@pytest.fixture(scope="module")
def unhurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a stack whose venues take as long as real ones, and whose users may have few active orders."""
    environment = {"VENUE_TIME_SCALE": "1", "RATE_LIMIT_PER_MINUTE": "0", "MAX_ACTIVE_ORDERS_PER_USER": "5"}
    with running_stack(tmp_path_factory.mktemp("unhurried"), environment) as stack:
        yield Client(stack.endpoints["http"], stack.endpoints["ws"])


def test_ten_orders_are_in_flight_while_more_wait(unhurried: Client) -> None:
    ids = [unhurried.accept(userId=f"trader-{number}")["orderId"] for number in range(2 * SLOTS)]
    assert {unhurried.ended(order_id)["status"] for order_id in ids} == {"confirmed"}
    # A swap takes seconds here, and so the ten are in flight together however slow the machine is.
    assert most_in_flight(unhurried, ids) == SLOTS


def test_one_users_backlog_does_not_block_other_users(unhurried: Client) -> None:
    answers = [unhurried.order(userId="greedy") for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {parse(answer.text)["code"] for answer in refused} == {"BACKLOG_FULL"}
    assert unhurried.order(userId="modest").status_code == 202
