"""The score of an order is computed from its events when it is recorded."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain.events import AttemptStarted, Confirmed, Expired
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.history.rows import order_row
from chalicelib.history.scores import score_row
from chalicelib.history.statements import ORDER_COLUMNS
from tests.support.open_orders import a_limit
from tests.support.order_builders import (
    NOON,
    building,
    cancelled,
    confirmed,
    failed,
    missed,
    opened,
    pending,
    quote,
    quotes,
    retried,
    routed,
    submitted,
    triggered,
)

MS = timedelta(milliseconds=1)
OF_A_FILL = (
    "slippage_pct",
    "slippage_used_pct",
    "gain_pct",
    "preview_gain_pct",
    "quoting_ms",
    "building_ms",
    "landing_ms",
)


def filled(order: Order, amount_out: int) -> Order:
    """The order, confirmed with this output. The builders quote 199,492,040, and at least 197,497,119 is accepted."""
    return submitted(building(order)).after(Confirmed("raydium", "hash", amount_out, Decimal(100)), NOON)


def test_a_row_has_every_column_of_its_table() -> None:
    assert order_row(pending()).keys() == set(ORDER_COLUMNS)


@pytest.mark.parametrize(
    "order", [pending(), opened(a_limit(100)), submitted(building(routed(pending()))), failed(pending())]
)
def test_an_order_without_a_fill_has_no_score_of_one(order: Order) -> None:
    score = score_row(order)
    assert [score[name] for name in OF_A_FILL] == [None] * len(OF_A_FILL)


def test_each_stage_of_the_filling_attempt_is_timed() -> None:
    order = pending(NOON).after(AttemptStarted(), NOON + 40 * MS, next_attempt=True)
    order = building(order.after(quotes(), NOON + 245 * MS), NOON + 245 * MS)
    order = submitted(order, NOON + 250 * MS).after(Confirmed("raydium", "hash", 1, Decimal(1)), NOON + 2750 * MS)
    score = score_row(order)
    assert (score["quoting_ms"], score["building_ms"], score["landing_ms"]) == (205, 5, 2500)


def test_a_retry_has_no_time_of_quoting_because_it_begins_with_a_pause() -> None:
    order = routed(retried(routed(pending(), NOON), NOON + MS), NOON + 900 * MS)
    order = submitted(building(order, NOON + 900 * MS), NOON + 907 * MS)
    score = score_row(order.after(Confirmed("raydium", "hash", 1, Decimal(1)), NOON + 3000 * MS))
    assert (score["quoting_ms"], score["building_ms"], score["landing_ms"]) == (None, 7, 2093)


def test_a_limit_order_that_missed_before_is_timed_from_its_last_trigger() -> None:
    waiting = missed(opened(a_limit(100)))
    later = NOON + timedelta(days=3)
    score = score_row(confirmed(triggered(waiting, later), later))
    assert (score["quoting_ms"], score["missed_triggers"]) == (0, 1)


@pytest.mark.parametrize(
    ("landed_after", "stored"),
    [
        (timedelta(days=400), 2**31 - 1),
        # The clock of the worker that finds the outcome may be behind that of the worker that sent the swap.
        (-5 * MS, 0),
        (timedelta(days=-400), 0),
    ],
)
def test_a_stage_of_any_length_fits_into_its_column(landed_after: timedelta, stored: int) -> None:
    order = submitted(building(routed(pending())))
    score = score_row(order.after(Confirmed("raydium", "hash", 1, Decimal(1)), NOON + landed_after))
    assert score["landing_ms"] == stored


@pytest.mark.parametrize(
    ("amount_out", "used"),
    [
        (199_492_040, Decimal(0)),
        (197_497_119, Decimal(100)),
        (199_400_000, Decimal("4.6137")),
        # Better than the quote uses nothing, so that one lucky fill does not hide the others in an average.
        (210_000_000, Decimal(0)),
    ],
)
def test_the_slippage_used_is_the_part_of_the_room_above_the_minimum(amount_out: int, used: Decimal) -> None:
    assert score_row(filled(routed(pending()), amount_out))["slippage_used_pct"] == used


def test_a_minimum_without_room_leaves_nothing_to_use() -> None:
    decision = quotes(quote(amount_out=197_497_119))
    assert score_row(filled(routed(pending(), decision=decision), 197_497_119))["slippage_used_pct"] is None


def test_the_preview_is_the_first_chosen_quote_and_not_the_one_traded_on() -> None:
    first, second = quotes(quote(amount_out=200_000_000)), quotes(quote(amount_out=198_000_000))
    order = filled(routed(retried(routed(pending(), decision=first)), decision=second), 199_000_000)
    assert score_row(order)["preview_gain_pct"] == Decimal("-0.5")


def test_an_order_whose_first_attempt_got_no_quotes_is_compared_with_its_first_quotes() -> None:
    order = retried(pending().after(AttemptStarted(), NOON, next_attempt=True))
    assert score_row(filled(routed(order), 199_492_040))["preview_gain_pct"] == 0


def test_a_first_quote_of_nothing_has_no_gain() -> None:
    order = filled(routed(pending(), decision=quotes(quote(amount_out=0))), 1)
    assert score_row(order)["preview_gain_pct"] is None


def a_retry(order: Order, code: FailureCode) -> Order:
    return order.after(AttemptStarted(Failure(code, "reason")), NOON, next_attempt=True)


@pytest.mark.parametrize(
    ("order", "codes"),
    [
        (pending(), None),
        (confirmed(pending()), None),
        (failed(pending()), None),
        (retried(routed(pending())), ["STALE_QUOTE"]),
        (cancelled(a_retry(retried(routed(pending())), FailureCode.NETWORK_ERROR)), ["STALE_QUOTE", "NETWORK_ERROR"]),
        # The price that left a limit order ends no attempt.
        (missed(opened(a_limit(100))), None),
    ],
)
def test_each_retry_is_counted_by_the_failure_before_it(order: Order, codes: list[str] | None) -> None:
    assert score_row(order)["retry_codes"] == codes


def test_the_end_of_an_attempt_that_no_other_follows_is_no_retry() -> None:
    building_now = building(routed(triggered(opened(a_limit(100)))))
    left = building_now.after(AttemptStarted(Failure(FailureCode.SLIPPAGE_EXCEEDED, "too low")), NOON)
    assert score_row(left.after(Expired("too low"), NOON))["retry_codes"] is None


def test_an_order_without_a_miss_takes_no_space_for_it() -> None:
    score: dict[str, Any] = score_row(confirmed(triggered(opened(a_limit(100)))))
    assert score["missed_triggers"] is None


def test_a_fill_of_an_earlier_version_without_its_slippage_has_the_rest_of_the_score() -> None:
    order = filled(routed(pending()), 199_400_000)
    fill = order.events[-1].data
    assert isinstance(fill, Confirmed)
    assert replace(fill, slippage_pct=None) == fill
    score = score_row(order)
    assert (score["slippage_pct"], score["slippage_used_pct"]) == (None, Decimal("4.6137"))
