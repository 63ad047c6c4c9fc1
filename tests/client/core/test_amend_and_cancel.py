"""Amending and cancelling, with answers that are lost on their way."""

import pickle

import pytest

from orderengine import errors
from orderengine.models.orders import Order
from tests.client.samples import ORDER_ID, accepted, cancellation, cancellations, event, events, record, verdict
from tests.client.scripted import Late, Script, answer, lost, problem
from tests.client.shells import Shell

MOVED_ON = problem(412, "ORDER_MOVED_ON", **verdict("moved_on", "open", 3))


def test_an_amendment_names_the_seq_of_the_record(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(answer(200, record(seq=2)), answer(200, record(seq=3, limitPrice=240))))
    order: Order = shell(client.order(ORDER_ID))
    amended = shell(client.amend(order, limit_price="240"))
    request = script.requests[-1]
    assert (request.method, request.headers["if-match"]) == ("PATCH", '"2"')
    assert script.bodies()[-1] == {"limitPrice": "240"}
    assert (amended.seq, str(amended.limit_price)) == (3, "240")


def test_an_amendment_by_id_reads_the_order_first(shell: Shell, script: Script) -> None:
    script.then(answer(200, record(seq=7)), answer(200, record(seq=8)))
    shell(shell.client(script).amend(ORDER_ID, slippage_bps=50))
    assert script.requests[-1].headers["if-match"] == '"7"'


def test_a_placed_order_is_amended_as_it_was_seen_last(shell: Shell, script: Script) -> None:
    script.then(answer(202, accepted()), answer(200, record(seq=2)), answer(200, record(seq=3)), MOVED_ON)
    order = shell(shell.client(script).submit("SOL", "USDC", 1, limit_price=300))
    shell(order.record())
    shell(order.amend(limit_price=240))
    with pytest.raises(errors.MovedOn) as caught:
        shell(order.amend(limit_price=250))
    assert [one.headers.get("if-match") for one in script.requests] == [None, None, '"2"', '"3"']
    assert caught.value.verdict == ("moved_on", "open", 3)


def test_a_look_at_the_past_is_not_what_was_seen_last(shell: Shell, script: Script) -> None:
    script.then(answer(202, accepted()), answer(200, events(event(1), event(2))), answer(200, record(seq=1)))
    order = shell(shell.client(script).submit("SOL", "USDC", 1))
    shell(order.events())
    shell(order.record(at_seq=1))
    assert order.seq == 2


def test_watching_counts_as_seeing(shell: Shell, script: Script) -> None:
    last = event(2, "confirmed", "completed")
    order = shell(shell.client(script.then(answer(202, accepted()))).submit("SOL", "USDC", 1))
    script.forever = answer(200, events(event(1), last))
    of_order = {"type": "ORDER_UPDATE", "orderId": ORDER_ID, "userId": "u"}
    script.then_socket({**of_order, **event(1)}, {**of_order, **last})
    assert [one.seq for one in shell(order.watch())][-1] == order.seq == 2


@pytest.mark.parametrize("second", [MOVED_ON, problem(409, "NOT_AMENDABLE", **verdict("not_open", "triggered", 4))])
def test_an_amendment_whose_answer_was_lost_is_found_in_the_events(
    shell: Shell, script: Script, second: object
) -> None:
    meta = {"amended": {"limitPrice": 240.0, "slippageBps": 50, "expiresAt": "2026-11-01T13:00:00.000Z"}}
    script.then(lost(), second)  # type: ignore[arg-type]
    script.then(answer(200, events(event(3, "open", "queued", meta=meta))), answer(200, record(seq=4)))
    client = shell.client(script)
    terms = {"limit_price": "240.00", "slippage": "0.5", "expires_at": "2026-11-01T14:00:00.0009+01:00"}
    assert shell(client.amend(ORDER_ID, if_seq=2, **terms)).seq == 4
    assert [one.method for one in script.requests] == ["PATCH", "PATCH", "GET", "GET"]


@pytest.mark.parametrize(
    "meta", [{"amended": {"limitPrice": 241}}, {"amended": {"limitPrice": "x"}}, {"amended": {"slippageBps": 1}}, {}]
)
def test_the_amendment_of_somebody_else_is_not_taken_for_ours(
    shell: Shell, script: Script, meta: dict[str, object]
) -> None:
    script.then(lost(), MOVED_ON, answer(200, events(event(3, "open", "queued", meta=meta))))
    with pytest.raises(errors.MovedOn):
        shell(shell.client(script).amend(ORDER_ID, if_seq=2, limit_price=240))


def test_an_amendment_that_never_arrived_says_so(shell: Shell, script: Script) -> None:
    script.then(*[lost()] * 5, answer(200, events()))
    with pytest.raises(errors.Unreachable):
        shell(shell.client(script).amend(ORDER_ID, if_seq=2, limit_price=240))


def test_an_amendment_whose_events_cannot_be_read_may_have_worked(shell: Shell, script: Script) -> None:
    script.then(lost(), *[lost(sent=False)] * 2)
    with pytest.raises(errors.Unreachable, match="may be amended") as caught:
        shell(shell.client(script, retries=0).amend(ORDER_ID, if_seq=2, limit_price=240))
    assert caught.value.sent


def test_all_requests_of_an_amendment_share_one_timeout(shell: Shell, script: Script) -> None:
    script.then(Late(1, answer(200, record())))
    script.forever = Late(9, problem(503, "UNAVAILABLE"))
    client = shell.client(script, retries=100, timeout=100)
    with pytest.raises(errors.OrderEngineError):
        shell(client.amend(ORDER_ID, limit_price=240, timeout=20))
    assert script.clock - 1000 <= 20.1
    assert script.requests[-1].path.endswith("/events")


def test_a_client_amends_a_placed_order_as_it_was_seen_last(shell: Shell, script: Script) -> None:
    script.then(answer(202, accepted()), answer(200, record(seq=2)), answer(200, record(seq=3)), MOVED_ON)
    client = shell.client(script)
    order = shell(client.submit("SOL", "USDC", 1, limit_price=300))
    shell(order.record())
    shell(client.amend(order, limit_price=240))
    with pytest.raises(errors.MovedOn):
        shell(client.amend(order, limit_price=250))
    assert [one.headers.get("if-match") for one in script.requests] == [None, None, '"2"', '"3"']


def test_a_cancel_has_a_timeout_of_its_own(shell: Shell, script: Script) -> None:
    script.then(answer(202, accepted()))
    script.forever = Late(3600, answer(200, cancellation()))
    order = shell(shell.client(script).submit("SOL", "USDC", 1))
    with pytest.raises(errors.Unreachable):
        shell(order.cancel(timeout=3))
    assert script.clock - 1000 <= 3.1


def test_an_amendment_of_nothing_is_refused(shell: Shell, script: Script) -> None:
    with pytest.raises(errors.InvalidArgument, match="needs a limit_price"):
        shell(shell.client(script).amend(ORDER_ID))


def test_a_cancel_is_repeated_after_a_lost_answer(shell: Shell, script: Script) -> None:
    script.then(lost(), answer(200, cancellation()))
    assert shell(shell.client(script).cancel(ORDER_ID)).outcome == "cancelled"


def test_a_cancel_that_is_too_late_has_the_verdict(shell: Shell, script: Script) -> None:
    script.then(problem(409, "CANCEL_TOO_LATE", **verdict("too_late", "submitted", 6)))
    with pytest.raises(errors.TooLate) as caught:
        shell(shell.client(script).cancel(ORDER_ID))
    assert caught.value.verdict == ("too_late", "submitted", 6)


def test_all_orders_are_cancelled_page_by_page(shell: Shell, script: Script) -> None:
    script.then(*[answer(200, cancellations(200, more=True))] * 2, answer(200, cancellations(17)))
    found = shell(shell.client(script, user="bot-1").cancel_all())
    assert (len(found.cancelled), found.more) == (417, False)
    assert {one.query for one in script.requests} == {(("userId", "bot-1"),)}


def test_orders_that_cannot_be_cancelled_now_are_told(shell: Shell, script: Script) -> None:
    script.then(answer(200, cancellations(3, more=True)))
    script.forever = answer(200, cancellations(0, more=True))
    found = shell(shell.client(script).cancel_all("bot-2"))
    assert (len(found.cancelled), found.more) == (3, True)
    assert script.sleeps == [1.0, 2.0]


def test_orders_that_are_too_late_are_told_of_every_round(shell: Shell, script: Script) -> None:
    late = [cancellation(orderId=one, outcome="too_late") for one in ("a", "b", "b")]
    script.then(answer(200, {**cancellations(1, more=True), "tooLate": late[:2]}))
    script.then(answer(200, {**cancellations(1), "tooLate": late[2:]}))
    found = shell(shell.client(script).cancel_all())
    assert [one.id for one in found.too_late] == ["a", "b"]


def test_a_round_that_fails_tells_what_those_before_it_have_cancelled(shell: Shell, script: Script) -> None:
    script.then(answer(200, cancellations(200, more=True)), problem(403, "MISSING_SCOPE"))
    with pytest.raises(errors.Forbidden) as caught:
        shell(shell.client(script).cancel_all())
    same = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - the test wrote it
    assert caught.value.cancelled == same.cancelled
    assert len(same.cancelled.cancelled) == 200


def test_a_first_round_that_fails_has_cancelled_nothing(shell: Shell, script: Script) -> None:
    with pytest.raises(errors.Forbidden) as caught:
        shell(shell.client(script.then(problem(403, "MISSING_SCOPE"))).cancel_all())
    assert caught.value.cancelled is None


def test_all_rounds_of_a_cancellation_share_one_timeout(shell: Shell, script: Script) -> None:
    script.forever = Late(20, answer(200, cancellations(200, more=True)))
    with pytest.raises(errors.Unreachable) as caught:
        shell(shell.client(script).cancel_all(timeout=50))
    assert script.clock - 1000 <= 50.1
    assert caught.value.cancelled is not None
    assert len(caught.value.cancelled.cancelled) == 400


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "a?b", "a b", "é", None, 7, b"x", "x" * 256])
@pytest.mark.parametrize("call", ["order", "status", "events", "cancel", "explain", "amend", "watch", "result"])
def test_an_id_that_would_name_something_else_is_refused(
    shell: Shell, script: Script, call: str, bad: object
) -> None:
    terms = {"limit_price": 1} if call == "amend" else {}
    with pytest.raises(errors.InvalidArgument, match="order is"):
        shell(getattr(shell.client(script), call)(bad, **terms))
    assert not script.requests


def test_an_order_of_any_form_names_itself(shell: Shell, script: Script) -> None:
    script.then(answer(202, accepted()), answer(200, record()), answer(200, cancellation()))
    client = shell.client(script)
    placed = shell(client.submit("SOL", "USDC", 1))
    shell(client.cancel(shell(client.order(placed))))
    assert [one.path for one in script.requests[1:]] == [f"/api/orders/{ORDER_ID}"] * 2
