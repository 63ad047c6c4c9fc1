"""The contract of ``RequestPermits``, on the fake and on DynamoDB."""

from chalicelib.ports.rate_limit import RequestPermits
from chalicelib.stores.models import RateLimitItem
from tests.contract.stores.conftest import DynamoStores
from tests.contract.stores.racing import race

BEGAN = 1_800_000_000_000


def test_permits_are_taken_until_the_limit_is_reached(permits: RequestPermits) -> None:
    assert [permits.take("alice", BEGAN, 4, 10) for _ in range(5)] == [True, True, True, False, False]


def test_each_user_and_each_window_has_a_limit_of_its_own(permits: RequestPermits) -> None:
    assert permits.take("alice", BEGAN, 1, 1)
    assert not permits.take("alice", BEGAN, 1, 1)
    assert permits.take("bob", BEGAN, 1, 1)
    assert permits.take("alice", BEGAN + 10_000, 1, 1)


def test_environments_that_race_take_no_more_than_the_limit(permits: RequestPermits) -> None:
    assert sum(race(lambda _: permits.take("alice", BEGAN, 1, 5), 20)) == 5


def test_permits_expire_after_their_window(dynamo: DynamoStores) -> None:
    dynamo.request_permits.take("alice", BEGAN, 1, 5)
    [item] = dynamo.request_permits._item.scan()
    assert isinstance(item, RateLimitItem)
    assert item.expires_at is not None
    assert item.expires_at * 1000 > BEGAN + 10_000
