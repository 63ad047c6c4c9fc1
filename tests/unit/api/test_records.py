"""The public record of an order has the fields of the contract."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from chalicelib.api.responses.records import record_of
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.money import to_base_units
from chalicelib.domain.orders import Order
from tests.support.order_builders import confirmed, failed, pending
from tests.support.specs import a_spec
from tests.unit.order_strategies import lives

FIELDS = [
    "orderId", "userId", "clientOrderId", "type", "side", "tokenIn", "tokenOut", "amountIn", "amountInBase",
    "amountOut", "amountOutBase", "minAmountOut", "status", "phase", "seq", "attempts", "dexUsed", "executedPrice",
    "limitPrice", "expiresAt", "txHash", "failCode", "failReason", "quotes", "createdAt", "updatedAt",
    # Beyond the contract:
    "timeInForce", "launch", "waitReason",
]  # fmt: skip


@given(lives())
def test_a_record_has_every_field_of_the_contract_at_any_time(order: Order) -> None:
    record = loads(dumps(record_of(order)))
    assert sorted(record) == sorted(FIELDS)
    assert (record["status"], record["seq"]) == (order.current_status.value, order.seq)
    assert record["createdAt"] <= record["updatedAt"]


@given(lives())
def test_an_amount_is_the_same_in_human_and_in_base_units(order: Order) -> None:
    record = loads(dumps(record_of(order)))
    amount = to_base_units(Decimal(record["amountIn"]), order.spec.token_in.decimals)
    assert str(amount) == record["amountInBase"] == str(order.spec.amount_in)
    if order.amount_out is not None:
        out = to_base_units(Decimal(record["amountOut"]), order.spec.token_out.decimals)
        assert str(out) == record["amountOutBase"] == str(order.amount_out)


def test_a_field_that_does_not_apply_yet_is_null() -> None:
    record = record_of(pending())
    absent = {name for name, value in record.items() if value is None}
    assert absent == {
        "clientOrderId", "amountOut", "amountOutBase", "minAmountOut", "dexUsed", "executedPrice", "limitPrice",
        "expiresAt", "txHash", "failCode", "failReason", "quotes", "timeInForce", "launch", "waitReason",
    }  # fmt: skip


def test_a_confirmed_order_has_its_output_and_price() -> None:
    record = record_of(confirmed(pending()))
    assert (record["status"], record["phase"], record["dexUsed"]) == ("confirmed", "completed", "raydium")
    assert (record["amountOut"], record["amountOutBase"]) == (Decimal("199.4"), "199400000")
    assert (record["minAmountOut"], record["executedPrice"]) == (Decimal("197.497119"), Decimal("99.7"))


def test_a_failed_order_has_its_reason() -> None:
    record = record_of(failed(pending()))
    assert (record["failCode"], record["failReason"]) == ("NO_LIQUIDITY", "the pool is too small")


def test_times_are_utc_with_milliseconds() -> None:
    record = record_of(Order.accepted("id", a_spec(), datetime(2026, 1, 1, 0, 0, 0, 1999, UTC)))
    assert record["createdAt"] == record["updatedAt"] == "2026-01-01T00:00:00.001Z"


def test_an_order_without_events_has_no_record() -> None:
    with pytest.raises(IllegalTransitionError):
        record_of(Order("id", a_spec()))
