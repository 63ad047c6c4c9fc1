"""What every ``Ledger`` promises, on the fake and on DynamoDB: one swap per signature, for ever."""

from dataclasses import replace

import pytest

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.swaps import Fill
from chalicelib.ports.venues import Ledger
from chalicelib.stores.ledger import DynamoLedger
from tests.contract.stores.aws import Wire
from tests.contract.stores.racing import race

FILL = Fill("5igNature", "order-1", "raydium", 2_000_000_000, 199_492_040)


def test_a_swap_that_landed_is_found_again_exactly(ledger: Ledger) -> None:
    assert ledger.land(FILL, 1) == FILL
    assert ledger.settle(FILL.signature, FILL.order_id, 2) == FILL


@pytest.mark.parametrize("amount", [1, 2**53 + 1, MAX_BASE_UNITS])
def test_the_ledger_keeps_amounts_to_the_last_base_unit(ledger: Ledger, amount: int) -> None:
    fill = replace(FILL, amount_in=amount, amount_out=amount)
    ledger.land(fill, 1)
    assert ledger.settle(fill.signature, fill.order_id, 2) == fill


def test_a_transaction_sent_twice_swaps_once_at_the_first_price(ledger: Ledger) -> None:
    ledger.land(FILL, 1)
    assert ledger.land(replace(FILL, amount_out=1, venue="meteora"), 2) == FILL
    assert ledger.settle(FILL.signature, FILL.order_id, 3) == FILL


def test_other_signatures_are_other_swaps(ledger: Ledger) -> None:
    ledger.land(FILL, 1)
    other = replace(FILL, signature="0ther", amount_out=7)
    assert ledger.land(other, 1) == other
    assert ledger.settle(FILL.signature, FILL.order_id, 2) == FILL
    assert ledger.settle("n0thing", FILL.order_id, 2) is None


def test_a_signature_that_was_given_up_can_never_land(ledger: Ledger) -> None:
    assert ledger.settle(FILL.signature, FILL.order_id, 1) is None
    with pytest.raises(AttemptFailedError) as refused:
        ledger.land(FILL, 2)
    assert refused.value.code is FailureCode.TX_DROPPED
    assert refused.value.retryable
    assert ledger.settle(FILL.signature, FILL.order_id, 3) is None


def test_sender_and_settler_that_meet_always_agree(ledger: Ledger) -> None:
    def run(number: int) -> Fill | None:
        if number % 2:
            return ledger.settle(FILL.signature, FILL.order_id, 1)
        try:
            return ledger.land(replace(FILL, amount_out=number + 1), 1)
        except AttemptFailedError:
            return None

    outcomes = set(race(run))
    assert len(outcomes) == 1, "some were told of a swap and some that there was none"
    assert ledger.settle(FILL.signature, FILL.order_id, 2) == outcomes.pop()


def test_a_landing_whose_answer_is_lost_has_landed(dynamo_ledger: DynamoLedger, wire: Wire) -> None:
    wire.lose_answer_to.append("PutItem")
    assert dynamo_ledger.land(FILL, 1) == FILL
    assert wire.calls.count("PutItem") == 2


def test_giving_up_whose_answer_is_lost_has_given_up(dynamo_ledger: DynamoLedger, wire: Wire) -> None:
    wire.lose_answer_to.append("PutItem")
    assert dynamo_ledger.settle(FILL.signature, FILL.order_id, 1) is None
    with pytest.raises(AttemptFailedError):
        dynamo_ledger.land(FILL, 2)
