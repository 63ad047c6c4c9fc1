"""The checker of the invariants: it reports every violation under its invariant, and none for a sound order."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given

from chalicelib.codec.times import from_ms
from chalicelib.domain.conditions import Amendment
from chalicelib.domain.events import Amended, AttemptStarted, Event, Expired, Opened, OpenTerms
from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap, orphans, violations_of
from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType, Status
from tests.support.order_builders import NOON, cancelled, confirmed, failed, pending, retried, spec, triggered
from tests.unit.order_strategies import lives

NOW_MS = 1_000_000
OVERDUE_MS = 1000


def seen(order: Order, **changes: Any) -> Evidence:
    """Return the evidence of an order in a sound deployment, with optional changes."""
    swap = Swap(order.tx_hash or "", order.order_id, order.amount_out or 0)
    evidence = Evidence(
        order_id=order.order_id,
        spec=order.spec,
        status=order.current_status,
        seq=order.seq,
        events=order.events,
        swaps=(swap,) if order.status is Status.CONFIRMED else (),
        deadline_ms=None if order.is_terminal else NOW_MS,
        history=copy_of(order) if order.is_terminal else None,
    )
    return replace(evidence, **changes)


def copy_of(order: Order) -> HistoryCopy:
    events = tuple((event.seq, event.status, event.attempt) for event in order.events)
    return HistoryCopy(order.current_status, order.seq, order.amount_out, events)


def violated(evidence: Evidence, **limits: Any) -> list[str]:
    return [one.invariant for one in violations_of(evidence, NOW_MS, overdue_ms=OVERDUE_MS, **limits)]


CONFIRMED = confirmed(pending())
SWAP = Swap(CONFIRMED.tx_hash or "", CONFIRMED.order_id, 199_400_000)
FAILED = failed(pending())
CANCELLED = cancelled(pending())
EXPIRED = pending().after(Expired(), NOON)
PENDING = pending()
LIMIT = pending(type=OrderType.LIMIT, limit_price=Decimal(99))
EXPIRES_AT = from_ms(NOW_MS + 500)
OPEN = LIMIT.after(Opened(OpenTerms(expires_at=EXPIRES_AT, min_amount_out=198_000_000)), NOON)
#: Two SOL at 99.71 or more bring 199.42 USDC; the fill is 199.40, and the stored minimum predates the amendment.
AMENDED = OPEN.after(Amended(OpenTerms(), Amendment(limit_price=Decimal("99.71"))), NOON)
FILLED = confirmed(triggered(AMENDED).after(AttemptStarted(), NOON, next_attempt=True))
COPY = seen(CONFIRMED).history
WRONG = Opened(OpenTerms())
assert COPY is not None


def with_event(order: Order, number: int, **changes: Any) -> tuple[Event, ...]:
    """The events of an order with one of them damaged."""
    events = list(order.events)
    events[number - 1] = replace(events[number - 1], **changes)
    return tuple(events)


def attempts(number: int) -> Order:
    order = pending().after(AttemptStarted(), NOON, next_attempt=True)
    for _ in range(number - 1):
        order = retried(order)
    return order


@given(lives())
def test_a_legal_history_of_an_order_is_no_violation(order: Order) -> None:
    assume(
        order.amount_out is None or order.amount_out >= max(order.min_amount_out or 0, order.spec.limit_min_out or 0)
    )
    assert violated(seen(order), max_attempts=order.attempts) == []


@pytest.mark.parametrize(
    ("evidence", "invariant"),
    [
        pytest.param(seen(CONFIRMED, swaps=()), "I1", id="confirmed, and no swap"),
        pytest.param(seen(CONFIRMED, swaps=(SWAP, replace(SWAP, signature="2"))), "I1", id="two swaps"),
        pytest.param(seen(CONFIRMED, swaps=(replace(SWAP, signature="2"),)), "I1", id="another swap"),
        pytest.param(
            seen(CONFIRMED, swaps=(replace(SWAP, amount_out=199_400_001),)), "I1", id="another amount landed"
        ),
        pytest.param(seen(FAILED, swaps=(SWAP,)), "I1", id="failed with a swap"),
        pytest.param(seen(EXPIRED, swaps=(SWAP,)), "I1", id="expired with a swap"),
        pytest.param(seen(PENDING, swaps=(SWAP, replace(SWAP, signature="2"))), "I1", id="two swaps, not terminal"),
        pytest.param(seen(CONFIRMED, swaps=(replace(SWAP, amount_out=197_497_118),)), "I2", id="below the minimum"),
        pytest.param(seen(FILLED), "I2", id="below the amended limit"),
        pytest.param(seen(PENDING, deadline_ms=None), "I3", id="no deadline"),
        pytest.param(seen(OPEN, deadline_ms=None), "I3", id="open without a deadline"),
        pytest.param(seen(PENDING, deadline_ms=NOW_MS - OVERDUE_MS - 1), "I3", id="overdue"),
        pytest.param(seen(CONFIRMED, events=CONFIRMED.events[:-1]), "I4", id="the last event is missing"),
        pytest.param(seen(CONFIRMED, events=CONFIRMED.events[1:]), "I4", id="a gap"),
        pytest.param(seen(CONFIRMED, events=(PENDING.events[0], *CONFIRMED.events)), "I4", id="a duplicate"),
        pytest.param(seen(CONFIRMED, events=()), "I4", id="no events"),
        pytest.param(
            seen(CONFIRMED, events=with_event(CONFIRMED, 4, data=Opened(OpenTerms()))), "I4", id="a wrong step"
        ),
        pytest.param(seen(CONFIRMED, events=with_event(CONFIRMED, 4, data="lost")), "I4", id="data of no kind"),
        pytest.param(seen(CONFIRMED, events=with_event(CONFIRMED, 3, data=None)), "I4", id="no data"),
        pytest.param(seen(CONFIRMED, events=(*CONFIRMED.events[:-1], "{")), "I4", id="an unreadable event"),
        pytest.param(seen(CONFIRMED, spec=None), "I4", id="an unreadable specification"),
        pytest.param(seen(PENDING, status="lost"), "I4", id="an unknown status"),
        pytest.param(
            seen(FAILED, events=(*FAILED.events, Event(4, 1, NOON, AttemptStarted())), seq=4),
            "I5",
            id="an event after a terminal status",
        ),
        pytest.param(seen(CONFIRMED, history=replace(COPY, seq=7)), "I5", id="the history is beyond the order"),
        pytest.param(seen(PENDING, history=COPY), "I5", id="terminal in the history alone"),
        pytest.param(
            seen(attempts(3), history=HistoryCopy("failed", 2, None, ())),
            "I5",
            id="active after its end in the history",
        ),
        pytest.param(
            seen(FAILED, deadline_ms=NOW_MS, history=replace(COPY, seq=FAILED.seq)), "I5", id="two different ends"
        ),
        pytest.param(seen(CONFIRMED, history=None), "I6", id="not in the history"),
        pytest.param(seen(CONFIRMED, history=replace(COPY, amount_out=1)), "I6", id="another amount"),
        pytest.param(seen(CONFIRMED, history=replace(COPY, events=COPY.events[:-1])), "I6", id="an event less"),
        pytest.param(seen(OPEN, deadline_ms=NOW_MS + 500), "I6", id="settled and not in the history"),
        pytest.param(
            seen(AMENDED, deadline_ms=NOW_MS + 500, history=seen(confirmed(pending()), seq=2).history),
            "I5",
            id="settled, and terminal in the history",
        ),
        pytest.param(
            seen(AMENDED, deadline_ms=NOW_MS + 500, history=copy_of(OPEN)), "I6", id="its amendment not recorded"
        ),
        pytest.param(seen(CANCELLED, swaps=(SWAP,)), "I8", id="cancelled and swapped"),
        pytest.param(seen(attempts(4)), "I9", id="a fourth attempt"),
        pytest.param(seen(CONFIRMED, events=with_event(CONFIRMED, 2, attempt=3)), "I9", id="a skipped attempt"),
        pytest.param(seen(CONFIRMED, events=with_event(CONFIRMED, 4, attempt=0)), "I9", id="an earlier attempt"),
    ],
)
def test_each_damage_is_reported_under_its_invariant(evidence: Evidence, invariant: str) -> None:
    assert violated(evidence) == [invariant]


def test_a_recorded_open_order_with_its_expiry_as_deadline_is_sound() -> None:
    assert violated(seen(OPEN, deadline_ms=NOW_MS + 500, history=copy_of(OPEN))) == []


def test_an_open_order_with_an_earlier_deadline_need_not_be_in_the_history_yet() -> None:
    assert violated(seen(OPEN, deadline_ms=NOW_MS + 499)) == []


def test_an_open_order_past_its_expiry_is_stuck_with_any_deadline() -> None:
    late_ms = NOW_MS + 500 + OVERDUE_MS + 1
    evidence = seen(OPEN, deadline_ms=late_ms + 60_000)
    [found] = violations_of(evidence, late_ms, overdue_ms=OVERDUE_MS)
    assert (found.invariant, found.detail) == ("I3", f"open, and expired since {NOW_MS + 500} (ms since the epoch)")
    assert violations_of(evidence, late_ms - 1, overdue_ms=OVERDUE_MS) == ()


@pytest.mark.parametrize("limit", [Decimal("NaN"), Decimal("Infinity")])
def test_a_malformed_limit_is_a_violation_and_not_an_error(limit: Decimal) -> None:
    damaged = replace(FILLED, spec=replace(FILLED.spec, limit_price=limit))
    events = tuple(
        replace(event, data=Opened(OpenTerms())) if isinstance(event.data, Amended) else event
        for event in FILLED.events
    )
    assert violated(seen(damaged, events=events)) == ["I4"]


def test_a_terminal_order_with_a_deadline_need_not_be_in_the_history_yet() -> None:
    assert violated(seen(CONFIRMED, history=None, deadline_ms=NOW_MS)) == []


def test_the_history_may_lack_the_events_of_dropped_months_and_no_others() -> None:
    order = confirmed(pending(), NOON + timedelta(days=40))
    copy = seen(order).history
    assert copy
    dropped = replace(copy, events=copy.events[1:], events_since=NOON + timedelta(days=1))
    assert violated(seen(order, history=dropped)) == []
    assert violated(seen(order, history=replace(dropped, events_since=NOON))) == ["I6"]
    assert violated(seen(order, history=replace(dropped, events=copy.events[2:]))) == ["I6"]


def test_an_unreadable_history_is_no_violation() -> None:
    assert violated(seen(CONFIRMED, history=None), history_known=False) == []


def test_three_attempts_are_allowed() -> None:
    assert violated(seen(attempts(3))) == []


def test_a_swap_without_an_order_is_an_orphan() -> None:
    [orphan] = orphans([SWAP, Swap("2", "missing", 1)], {CONFIRMED.order_id})
    assert (orphan.invariant, orphan.order_id) == ("I1", "missing")


def test_all_violations_are_reported_at_once() -> None:
    evidence = Evidence("id", spec(), "routing", 9, ("?",), (SWAP, replace(SWAP, signature="2")))
    assert violated(evidence) == ["I4", "I1", "I3"]


def test_a_lagging_history_is_a_violation_once_it_had_time_to_catch_up() -> None:
    assert violated(seen(CONFIRMED, history=None, deadline_ms=NOW_MS - 2 * OVERDUE_MS)) == []
    assert violated(seen(CONFIRMED, history=None, deadline_ms=NOW_MS - 30 * OVERDUE_MS)) == ["I6"]
