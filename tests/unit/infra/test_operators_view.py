"""The operators' commands read damaged stored data and damaged dead letters."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.codec.events import event_to_json
from chalicelib.codec.messages import order_message
from chalicelib.codec.orders import spec_to_dict, spec_to_json
from chalicelib.codec.times import to_ms
from chalicelib.domain.events import Opened, OpenTerms
from chalicelib.domain.invariants import Evidence, RecordedOrder, Swap, Violation, violations_of
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType
from chalicelib.ports.orders import StoredOrder
from infra.ops.dead_letter_store import DeadLetter
from infra.ops.doctor import Examination
from infra.ops.evidence import EvidenceReader
from infra.ops.items import evidence_of
from infra.ops.report import Report
from tests.support.order_builders import confirmed, pending

ORDER = confirmed(pending())
ITEM: dict[str, Any] = {
    "orderId": ORDER.order_id,
    **spec_to_dict(ORDER.spec),
    "slippageBps": Decimal(ORDER.spec.slippage_bps),
    "status": "confirmed",
    "seq": Decimal(ORDER.seq),
    "events": [event_to_json(event) for event in ORDER.events],
}
NO_ADDRESS = (
    "DATABASE_URL is not the address of a database: it must be like postgresql://user:password@host:5432/name"
)
#: Any value of a DynamoDB attribute.
_VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20) | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def letter(body: str, queue: str = "UnprocessableQueue") -> DeadLetter:
    return DeadLetter("id", queue, body, datetime(2026, 1, 31, tzinfo=UTC), 1, "receipt")


def test_an_item_is_read_as_its_order() -> None:
    assert evidence_of(ITEM, {}, None) == Evidence(ORDER.order_id, ORDER.spec, "confirmed", ORDER.seq, ORDER.events)
    assert isinstance(evidence_of(ITEM, {}, None).spec, OrderSpec)


@given(st.sampled_from([name for name in ITEM if name != "orderId"]), _VALUES)
def test_a_damaged_item_is_still_judged(name: str, value: Any) -> None:
    violations_of(evidence_of({**ITEM, name: value}, {}, None), 0, overdue_ms=0)
    violations_of(evidence_of({key: ITEM[key] for key in ITEM if key != name}, {}, None), 0, overdue_ms=0)


@given(st.integers(0, len(ORDER.events) - 1), _VALUES | st.text())
def test_an_order_with_a_damaged_event_is_still_judged(number: int, value: Any) -> None:
    events = [*ITEM["events"][:number], value, *ITEM["events"][number + 1 :]]
    assert violations_of(evidence_of({**ITEM, "events": events}, {}, None), 0, overdue_ms=0)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "DATABASE_URL is not set, and no secret has an address that this command can use"),
        ("postgres//user:hunter2@host/db", NO_ADDRESS),
        ("postgresql://user:hunter2%zz@host/db", NO_ADDRESS),
    ],
)
def test_the_message_about_an_invalid_address_omits_the_password(url: str, why: str) -> None:
    tables = SimpleNamespace(Table=lambda name: None)
    deployment: Any = SimpleNamespace(resource=lambda _: tables, output=lambda name: name, database_url=url)
    reader = EvidenceReader(deployment)
    assert reader.copies([ORDER.order_id]) == {}
    assert reader.history_missing == why


def test_a_report_lists_twenty_violations_of_an_invariant_and_counts_the_rest() -> None:
    violations = [Violation("I2", f"order-{number}", "too little") for number in range(23)]
    lines = str(Report("stack", "database", violations=violations)).splitlines()
    assert sum("too little" in line for line in lines) == 20
    assert "   and 3 more" in lines
    assert [line[:2] for line in lines if line[:1] == "I"] == [f"I{number}" for number in range(1, 10)]
    assert sum(line.endswith(": ok") for line in lines) == 7


def first_form(spec: OrderSpec) -> dict[str, Any]:
    """The specification as items of version 1 hold it: one attribute per field."""
    return {**spec_to_dict(spec), "slippageBps": Decimal(spec.slippage_bps)}


def current_form(spec: OrderSpec) -> dict[str, Any]:
    return {"spec": spec_to_json(spec)}


@pytest.mark.parametrize("form", [first_form, current_form])
def test_an_open_order_is_counted_separately_and_must_be_in_the_history(
    form: Callable[[OrderSpec], dict[str, Any]],
) -> None:
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=1)
    order = pending(now, type=OrderType.LIMIT, limit_price=Decimal(150)).after(
        Opened(OpenTerms(expires_at=expires_at)), now
    )
    item = {
        "orderId": order.order_id,
        **form(order.spec),
        "status": "open",
        "seq": Decimal(2),
        "events": [event_to_json(event) for event in order.events],
        "attentionAt": Decimal(to_ms(expires_at)),
    }
    reader: Any = SimpleNamespace(
        history_missing="",
        swaps=dict,
        pages=lambda: [[item]],
        copies=lambda ids: {},
        item=lambda order_id: item,
        landed=lambda evidence: {},
        recorded=list,
        existing=set,
    )
    report = Report("stack", "database")
    Examination(reader, report, max_attempts=3).run()
    assert [(one.invariant, one.detail) for one in report.violations] == [("I6", "not in the history")]
    assert "open          1 wait for their price or launch" in str(report)
    assert "active        0 queued, 0 in progress\noverdue       0 open or active orders" in str(report)


def test_an_order_of_the_history_that_the_orders_table_lacks_is_reported_unless_it_is_younger_than_the_scan() -> None:
    lost, young = RecordedOrder("lost", "confirmed", 6), RecordedOrder("young", "failed", 4)
    reader: Any = SimpleNamespace(
        history_missing="",
        swaps=lambda: {"lost": {"signature": Swap("signature", "lost", 1)}},
        pages=list,
        recorded=lambda: [[lost], [young]],
        existing=lambda ids: {"young"}.intersection(ids),
    )
    report = Report("stack", "database")
    Examination(reader, report, max_attempts=3).run()
    assert [(one.invariant, one.order_id) for one in report.violations] == [("I1", "lost"), ("I6", "lost")]


@pytest.mark.parametrize("order_id", ["", "x" * 3000, "no-uuid", "\ud800"])
def test_a_dead_letter_with_an_impossible_order_id_names_no_order(order_id: str) -> None:
    body = order_message(StoredOrder(pending()))
    assert letter(body).order_id is not None
    assert letter(body.replace(letter(body).order_id or "", order_id)).order_id is None


@pytest.mark.parametrize("wanted", ["{}", '{"orderId":5}', '{"orderId":null}', '{"orderId":["x"]}', '{"orderId":""}'])
def test_a_replay_without_a_usable_order_id_names_no_order(wanted: str) -> None:
    body = f'{{"v":1,"connection_id":"c","wanted":{wanted}}}'
    assert letter(body, "ReplayDeadLettersQueue").order_id is None


@pytest.mark.parametrize("user_id", ["", "a b", "ü", "x" * 129])
def test_a_dead_letter_is_redriven_in_a_valid_group_for_any_user_id(user_id: str) -> None:
    body = order_message(StoredOrder(pending()))
    assert letter(body).group == "alice"
    assert letter(body.replace("alice", user_id)).group == letter("poison").group
