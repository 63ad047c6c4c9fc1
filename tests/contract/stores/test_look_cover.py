"""The contract of ``LookCover``, on the fake and on DynamoDB."""

from chalicelib.ports.looks import LookCover
from tests.contract.stores.conftest import DynamoStores

UNTIL_MS = 1_770_000_000_123


def test_before_the_first_looks_there_is_no_cover(look_cover: LookCover) -> None:
    assert look_cover.until_ms() == 0


def test_the_last_note_counts_also_if_it_is_an_earlier_one(look_cover: LookCover) -> None:
    for until_ms in (UNTIL_MS, UNTIL_MS + 60_000, UNTIL_MS + 5_000):
        look_cover.extend(until_ms)
        assert look_cover.until_ms() == until_ms


def test_the_check_of_an_idle_minute_makes_seven_requests(dynamo: DynamoStores) -> None:
    """The price of an idle month counts on it (``docs/decisions/0062``)."""
    before = len(dynamo.aws.wire.calls)
    assert not dynamo.orders.has_deadlines()
    assert not dynamo.markets.pending_launches()
    assert dynamo.aws.wire.calls[before:] == ["Query"] * 7
