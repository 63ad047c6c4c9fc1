"""Placeholders of the golden session keep types and identities; its report separates sentences from other changes."""

from decimal import Decimal

import pytest

from tests.e2e.client import Json
from tests.e2e.golden.compare import differences, report
from tests.e2e.golden.normalize import Normalizer

_ONE, _TWO = "3f0e7d3c-5a4f-4d0b-9a61-0c6b8a1b2c3d", "aa0e7d3c-5a4f-4d0b-9a61-0c6b8a1b2c3d"


def normalized(*bodies: Json) -> list[Json]:
    entries = [{"step": str(number), "answer": {"body": body}} for number, body in enumerate(bodies)]
    return [entry["answer"]["body"] for entry in Normalizer({"abc": "<run>"}, {"t"}).session(entries)]


def test_the_same_id_has_the_same_placeholder_everywhere() -> None:
    first, second = normalized({"orderId": _ONE, "url": f"ws?id={_TWO}"}, {"orderId": _TWO, "requestId": _ONE})
    assert first == {"orderId": "<order 1>", "url": "ws?id=<order 2>"}
    assert second == {"orderId": "<order 2>", "requestId": "<request>"}


def test_a_placeholder_of_a_market_number_keeps_its_type() -> None:
    [body] = normalized({"price": Decimal("1.5"), "amountOut": 3, "amountOutBase": "3", "fee": None, "amountIn": 2})
    assert body == {
        "price": "<number>",
        "amountOut": "<number>",
        "amountOutBase": "<integer text>",
        "fee": None,
        "amountIn": 2,
    }


def test_the_min_output_of_a_limit_order_is_not_replaced() -> None:
    limit = {"orderId": _ONE, "type": "limit", "limitPrice": 2, "minAmountOut": 20}
    market = {"orderId": _TWO, "type": "market", "limitPrice": None, "minAmountOut": 20}
    assert [body["minAmountOut"] for body in normalized(limit, market)] == [20, "<number>"]


def test_a_venue_is_a_placeholder_if_both_venues_had_a_quote() -> None:
    quote = {"price": 1}
    both = {"rQuote": quote, "mQuote": quote, "chosen": "meteora", "reason": "meteora returns 2.5 % more"}
    one = {**both, "mQuote": None, "chosen": "raydium", "reason": "raydium is the only one"}
    assert [(body["chosen"], body["reason"]) for body in normalized(both, one)] == [
        ("<venue>", "<venue> returns <n> % more"),
        ("raydium", "raydium is the only one"),
    ]


def test_a_venue_is_a_placeholder_in_all_events_of_its_order() -> None:
    quote = {"price": 1}
    routed = {"orderId": _ONE, "meta": {"rQuote": quote, "mQuote": quote, "chosen": "meteora"}}
    sent = {"orderId": _ONE, "meta": {"dex": "meteora"}}
    other = {"orderId": _TWO, "meta": {"dex": "meteora"}}
    assert [body["meta"].get("dex") for body in normalized(routed, sent, other)] == [None, "<venue>", "meteora"]


@pytest.mark.parametrize(
    ("golden", "found", "text"),
    [
        ({"detail": "a"}, {"detail": "b"}, True),
        ({"detail": "a"}, {"detail": None}, False),
        ({"detail": "a"}, {}, False),
        ({"seq": 1}, {"seq": Decimal("1.0")}, False),
        ({"seq": 1}, {"seq": "1"}, False),
        ({"seq": 1}, {"seq": True}, False),
        ({"list": [1]}, {"list": [1, 2]}, False),
    ],
)
def test_a_difference_is_reported(golden: Json, found: Json, text: bool) -> None:
    [difference] = differences([{"step": "s", **golden}], [{"step": "s", **found}])
    assert difference.text is text
    assert "golden:" in report([difference])


def test_a_missing_or_moved_step_is_a_difference() -> None:
    one, two = {"step": "1"}, {"step": "2"}
    assert differences([one, two], [one, two]) == []
    assert len(differences([one, two], [one])) == len(differences([one, two], [two, one])) == 1
