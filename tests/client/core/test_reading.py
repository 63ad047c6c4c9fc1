"""Reading of answers: exact, frozen, and tolerant of what comes later."""

import copy
import dataclasses
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from orderengine import Order, Status, errors
from orderengine.core.answers import read
from orderengine.core.exact_json import loads
from orderengine.models.orders import Events, Update
from orderengine.models.quotes import Quotes
from orderengine.models.reading import Unreadable
from tests.client.samples import event, events, record
from tests.client.scripted import answer


def order(**fields: Any) -> Order:
    return read(Order, answer(200, record(**fields)))


def test_numbers_are_exact_and_times_are_aware() -> None:
    found = Order.read(
        loads('{"amountIn": 0.1000000000000000055511151231257827}') | {**record(), "amountIn": Decimal("0.10")}
    )
    assert found.amount_in == Decimal("0.10")
    assert order(amountIn=3).amount_in == Decimal(3)
    assert order(amountInBase="18446744073709551615").amount_in_base == 2**64 - 1
    assert order().created_at == datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_fraction_keeps_the_digits_of_the_answer() -> None:
    body = answer(200, record(amountIn="@")).body.replace(b'"@"', b"0.1000000000000000055511151231257827")
    found = read(Order, dataclasses.replace(answer(200), body=body))
    assert str(found.amount_in) == "0.1000000000000000055511151231257827"


def test_fields_and_words_to_come_are_kept() -> None:
    found = order(status="settling", phase="later", surplus={"pct": 1})
    assert (found.status, found.phase, found.raw["surplus"]) == ("settling", "later", {"pct": 1})
    assert not found.is_terminal


def test_a_status_compares_with_text_and_with_its_name() -> None:
    status = order(status="confirmed").status
    assert status == "confirmed"
    assert status == Status.CONFIRMED


def test_models_are_frozen_and_can_be_copied() -> None:
    found = order()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.status = "x"  # type: ignore[misc]
    assert copy.deepcopy(found) == found == pickle.loads(pickle.dumps(found))  # noqa: S301 - the test wrote it


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amountIn", True),
        ("amountIn", "NaN"),
        ("amountIn", "1_0"),
        ("amountIn", None),
        ("amountInBase", "-1"),
        ("amountInBase", "1e5"),
        ("seq", "2"),
        ("seq", True),
        ("seq", 2.5),
        ("createdAt", "2026-11-01T12:00:00"),
        ("createdAt", "yesterday"),
        ("createdAt", 1),
        ("orderId", 1),
        ("launch", []),
        ("quotes", {"chosen": 1}),
    ],
)
def test_a_field_of_another_type_is_not_the_engines(field: str, value: object) -> None:
    with pytest.raises(errors.NotTheEngine, match=field if field != "quotes" else "chosen"):
        order(**{field: value})


@pytest.mark.parametrize("field", ["orderId", "seq", "amountIn"])
def test_a_field_that_is_missing_or_null_is_not_the_engines(field: str) -> None:
    missing = {name: value for name, value in record().items() if name != field}
    for body in (missing, record(**{field: None})):
        with pytest.raises(errors.NotTheEngine, match=f"Order lacks {field}"):
            read(Order, answer(200, body))


def test_a_field_that_may_be_null_may_be_missing_too() -> None:
    body = {name: value for name, value in record().items() if value is not None}
    assert read(Order, answer(200, body)).limit_price is None


def test_null_is_the_same_as_missing_where_there_is_a_default() -> None:
    nothing = {"orderId": None, "userId": None}
    assert Update.read({**event(1), **nothing}) == Update.read(event(1))
    quotes = {"chosen": "raydium", "reason": "r", "degraded": False}
    for failures in (None, {}, {"meteora": None}):
        assert Quotes.read({**quotes, "errors": failures}).errors == {}
    assert Update.read(event(1, meta={"slippagePct": None})).meta == {"slippagePct": None}


def test_an_update_has_what_its_event_says() -> None:
    meta = {"dex": "meteora", "txHash": "5k", "executedPrice": 99, "amountOut": Decimal("1.5"), "code": "X"}
    found = Update.read(event(6, meta=meta))
    assert (found.dex, found.tx_hash, found.fail_code) == ("meteora", "5k", "X")
    assert (str(found.executed_price), str(found.amount_out), found.quotes) == ("99", "1.5", None)
    routed = Update.read(event(3, meta={"chosen": "raydium", "reason": "r", "degraded": True}))
    assert routed.quotes is not None
    assert routed.quotes.chosen == "raydium"


@pytest.mark.parametrize("meta", [{}, {"dex": 1, "txHash": None, "executedPrice": "x", "amountOut": [], "code": {}}])
def test_an_update_without_a_value_has_none(meta: dict[str, object]) -> None:
    found = Update.read(event(1, meta=meta))
    values = (found.dex, found.tx_hash, found.executed_price, found.amount_out, found.quotes, found.fail_code)
    assert values == (None,) * 6


@pytest.mark.parametrize("body", [[], None, "x", 1, {"orderId": "x", "events": {}}, {"orderId": "x", "events": [1]}])
def test_json_of_another_shape_is_not_the_engines(body: object) -> None:
    with pytest.raises(errors.NotTheEngine):
        read(Events, answer(200, body))


def test_an_event_is_read_the_same_from_an_answer_and_from_a_frame() -> None:
    [told] = read(Events, answer(200, events(event(1)))).events
    frame = {"type": "ORDER_UPDATE", "orderId": "o", "userId": "u", **event(1)}
    framed = Update.read(frame)
    assert (framed.order_id, framed.user_id) == ("o", "u")
    assert dataclasses.replace(framed, order_id="", user_id="") == told


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(Unreadable) as caught:
        Order.read({**record(), "seq": "9" * 10_000})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("phase", "kind"),
    [("failed", errors.OrderFailed), ("cancelled", errors.OrderCancelled), ("expired", errors.OrderExpired)],
)
def test_an_order_that_was_not_filled_raises_only_if_asked(phase: str, kind: type[errors.OutcomeError]) -> None:
    found = order(phase=phase, failCode="NO_LIQUIDITY")
    assert found.is_terminal
    assert not found.filled
    with pytest.raises(kind) as caught:
        found.raise_for_outcome()
    assert caught.value.order is found


def test_a_filled_order_and_one_that_goes_on_raise_nothing() -> None:
    assert order(phase="completed").raise_for_outcome().filled
    assert not order(phase="processing").raise_for_outcome().is_terminal
