"""The events that an open order can collect in its lifetime fit into its item."""

from decimal import Decimal
from math import ceil

from chalicelib.codec.events import event_to_json
from chalicelib.domain.conditions import (
    MAX_AMENDMENTS,
    MAX_MISSES_WITHOUT_PAUSE,
    MAX_ORDER_LIFETIME,
    MAX_STORED_REFUSALS,
    Amendment,
)
from chalicelib.domain.retry import retrigger_pause
from chalicelib.services.market import trigger
from orderengine.testing.parts import SETTINGS
from tests.support.callers import ANYONE
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept, push
from tests.support.workbench import Workbench, a_workbench

MAX_ITEM_BYTES = 400 * 1024
#: The specification, eight subscribers, index keys, and the events of three attempts.
OTHER_BYTES = 12 * 1024


def sizes(bench: Workbench, order_id: str) -> list[int]:
    """The stored sizes of an order's events. DynamoDB adds four bytes to each element of a list at most."""
    return [len(event_to_json(event)) + 4 for event in bench.order(order_id).events]


def most_misses() -> int:
    """The misses of an order whose price is always met, and whose owner amends it as long as that ends a pause."""
    seconds, misses = 0.0, MAX_MISSES_WITHOUT_PAUSE
    while seconds < MAX_ORDER_LIFETIME.total_seconds():
        misses += 1
        doubled = ceil(misses / trigger._CLEAR_MISSES)
        seconds += retrigger_pause(doubled, SETTINGS.retrigger_pause_seconds, SETTINGS.max_retrigger_pause_seconds)
    return misses


def test_every_miss_and_every_amendment_of_a_limit_order_fits() -> None:
    bench = a_workbench()
    push(bench, 100)
    order_id = accept(bench, a_limit(110, simulate="slippage:1"))
    push(bench, Decimal("130.123456789"))
    bench.process()
    before = sizes(bench, order_id)
    bench.engine.amend(ANYONE, order_id, Amendment(Decimal("500.123456789"), 1234))
    miss, amendment = sum(before[2:]), sizes(bench, order_id)[-1]
    assert bench.order(order_id).missed_triggers == 1
    assert most_misses() * miss + MAX_AMENDMENTS * amendment + OTHER_BYTES < MAX_ITEM_BYTES


def test_every_refusal_and_every_amendment_of_a_sniper_order_fits() -> None:
    bench = a_workbench()
    order_id = accept(bench, a_sniper(min_liquidity=Decimal(5000)))
    bench.engine.market.announce_launch(ANYONE, a_launch(bench, pool="p" * 64, slot=2**53))
    refusal = sizes(bench, order_id)[-1]
    bench.engine.amend(ANYONE, order_id, Amendment(slippage_bps=1234))
    amendment = sizes(bench, order_id)[-1]
    assert MAX_STORED_REFUSALS * refusal + MAX_AMENDMENTS * amendment + OTHER_BYTES < MAX_ITEM_BYTES
