"""The contract of ``Ledger``, on the fake and on DynamoDB: one swap per signature, permanently."""

from dataclasses import replace

import pytest

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.swaps import Fill
from chalicelib.ports.venues import Ledger
from chalicelib.stores.ledger import DynamoLedger
from tests.contract.stores.aws import Wire
from tests.contract.stores.racing import race

FILL = Fill("5igNature", "order-1", "raydium", 2_000_000_000, 199_492_040, 1, 1, 7)


def test_the_ledger_returns_a_landed_swap_exactly(ledger: Ledger) -> None:
    assert ledger.land(FILL) == FILL
    assert ledger.settle(FILL.signature, FILL.order_id, 2) == FILL


@pytest.mark.parametrize("amount", [1, 2**53 + 1, MAX_BASE_UNITS])
def test_the_ledger_keeps_amounts_to_the_last_base_unit(ledger: Ledger, amount: int) -> None:
    fill = replace(FILL, amount_in=amount, amount_out=amount)
    ledger.land(fill)
    assert ledger.settle(fill.signature, fill.order_id, 2) == fill


def test_a_transaction_sent_twice_swaps_once_at_the_first_price(ledger: Ledger) -> None:
    ledger.land(FILL)
    assert ledger.land(replace(FILL, amount_out=1, venue="meteora")) == FILL
    assert ledger.settle(FILL.signature, FILL.order_id, 3) == FILL


def test_signatures_are_independent_of_each_other(ledger: Ledger) -> None:
    ledger.land(FILL)
    other = replace(FILL, signature="0ther", amount_out=7)
    assert ledger.land(other) == other
    assert ledger.settle(FILL.signature, FILL.order_id, 2) == FILL
    assert ledger.settle("n0thing", FILL.order_id, 2) is None


def test_a_voided_signature_never_lands(ledger: Ledger) -> None:
    assert ledger.settle(FILL.signature, FILL.order_id, 1) is None
    with pytest.raises(AttemptFailedError) as refused:
        ledger.land(FILL)
    assert refused.value.code is FailureCode.TX_DROPPED
    assert refused.value.retryable
    assert ledger.settle(FILL.signature, FILL.order_id, 3) is None


def test_concurrent_senders_and_settlers_agree_on_the_outcome(ledger: Ledger) -> None:
    def run(number: int) -> Fill | None:
        if number % 2:
            return ledger.settle(FILL.signature, FILL.order_id, 1)
        try:
            return ledger.land(replace(FILL, amount_out=number + 1))
        except AttemptFailedError:
            return None

    outcomes = set(race(run))
    assert len(outcomes) == 1, "the callers disagree on whether the swap landed"
    assert ledger.settle(FILL.signature, FILL.order_id, 2) == outcomes.pop()


def test_a_landing_whose_answer_is_lost_counts_as_landed(dynamo_ledger: DynamoLedger, wire: Wire) -> None:
    wire.lose_answer_to.append("PutItem")
    assert dynamo_ledger.land(FILL) == FILL
    assert wire.calls.count("PutItem") == 2


def test_a_void_whose_answer_is_lost_counts_as_void(dynamo_ledger: DynamoLedger, wire: Wire) -> None:
    wire.lose_answer_to.append("PutItem")
    assert dynamo_ledger.settle(FILL.signature, FILL.order_id, 1) is None
    with pytest.raises(AttemptFailedError):
        dynamo_ledger.land(FILL)


def test_a_swap_of_an_earlier_version_has_no_moment(dynamo_ledger: DynamoLedger) -> None:
    dynamo_ledger.land(replace(FILL, price_at_ms=None, launch_slot=None))
    assert dynamo_ledger.settle(FILL.signature, FILL.order_id, 2) == replace(FILL, price_at_ms=None, launch_slot=None)
    item = dynamo_ledger._item.get(FILL.signature)
    item.update([dynamo_ledger._item.price_at.remove()])
    old = replace(FILL, landed_at_ms=None, price_at_ms=None, launch_slot=None)
    assert dynamo_ledger.settle(FILL.signature, FILL.order_id, 3) == old
