"""The contract of ``SubscriberGroups``, on the fake and on DynamoDB."""

from dataclasses import replace

import pytest

from chalicelib.domain.errors import ContendedError
from chalicelib.ports.fan_out import GroupLeasedError, SubscriberGroup, SubscriberGroups
from chalicelib.ports.streams import Subscriber
from chalicelib.stores import subscriber_groups
from orderengine.testing.fakes.clock import FakeClock
from tests.contract.stores.conftest import DynamoStores

EXPIRY = 1_800_000_000
ONE, TWO = Subscriber("one", after_seq=0), Subscriber("two", coarse=True, via_user=True, after_seq=3)
LEASE_MS = 15_000


def leased(groups: SubscriberGroups, clock: FakeClock, owner: str = "me", seconds: int = 15) -> SubscriberGroup:
    found = groups.lease("order", 1, owner, clock.now_ms() + seconds * 1000)
    assert found is not None
    return found


def served(found: SubscriberGroup, seq: int) -> SubscriberGroup:
    """The group after a round in which everybody received the events up to ``seq``."""
    everyone = frozenset(replace(one, after_seq=None) for one in found.members | found.joining)
    return replace(found, members=everyone, joining=frozenset(), delivered=seq)


def test_a_group_that_nobody_joined_is_unknown(groups: SubscriberGroups, clock: FakeClock) -> None:
    assert groups.get("order", 1) is None
    assert groups.lease("order", 1, "me", clock.now_ms() + LEASE_MS) is None
    groups.remove("order", 1, [ONE])
    assert groups.get("order", 1) is None


def test_joining_subscribers_keep_their_positions_also_before_the_first_event(
    groups: SubscriberGroups, clock: FakeClock
) -> None:
    groups.add("order", 1, [ONE], EXPIRY)
    groups.add("order", 1, [TWO], EXPIRY)
    groups.add("order", 2, [ONE], EXPIRY)
    assert leased(groups, clock).joining == {ONE, TWO}


def test_a_served_group_has_its_members_at_their_new_position(groups: SubscriberGroups, clock: FakeClock) -> None:
    groups.add("order", 1, [ONE, TWO], EXPIRY)
    found = leased(groups, clock)
    assert groups.replace(found, served(found, 4), "me")
    again = leased(groups, clock, "other")
    assert again.members == {Subscriber("one"), Subscriber("two", coarse=True, via_user=True)}
    assert (again.joining, again.delivered) == (frozenset(), 4)


def test_a_leased_group_is_served_by_its_owner_alone_and_learns_of_the_other(
    groups: SubscriberGroups, clock: FakeClock
) -> None:
    groups.add("order", 1, [ONE], EXPIRY)
    found = leased(groups, clock)
    with pytest.raises(GroupLeasedError):
        leased(groups, clock, "other")
    assert not groups.replace(found, served(found, 1), "me"), "the other came with a later event"
    assert leased(groups, clock).joining == {ONE}, "the owner serves the group again under its own lease"


@pytest.mark.parametrize("change", ["join", "leave"])
def test_a_subscriber_that_comes_or_leaves_meanwhile_is_not_overwritten(
    groups: SubscriberGroups, clock: FakeClock, change: str
) -> None:
    groups.add("order", 1, [ONE], EXPIRY)
    found = leased(groups, clock)
    if change == "join":
        groups.add("order", 1, [TWO], EXPIRY)
    else:
        groups.remove("order", 1, [ONE])
    assert not groups.replace(found, served(found, 1), "me")
    assert leased(groups, clock).joining == ({ONE, TWO} if change == "join" else set())


def test_a_lease_that_has_ended_passes_to_the_next_worker(groups: SubscriberGroups, clock: FakeClock) -> None:
    groups.add("order", 1, [ONE], EXPIRY)
    found = leased(groups, clock, seconds=1)
    clock.sleep(1.001)
    leased(groups, clock, "other")
    assert not groups.replace(found, served(found, 1), "me")


def test_a_group_without_subscribers_is_deleted(groups: SubscriberGroups, clock: FakeClock) -> None:
    groups.add("order", 1, [ONE], EXPIRY)
    found = leased(groups, clock)
    assert groups.replace(found, replace(found, joining=frozenset(), delivered=6), "me")
    assert groups.get("order", 1) is None
    groups.add("order", 1, [TWO], EXPIRY)
    assert leased(groups, clock, "other").joining == {TWO}


def test_members_and_joining_subscribers_leave_alike(groups: SubscriberGroups, clock: FakeClock) -> None:
    groups.add("order", 1, [ONE], EXPIRY)
    found = leased(groups, clock)
    assert groups.replace(found, served(found, 1), "me")
    groups.add("order", 1, [TWO], EXPIRY)
    groups.remove("order", 1, [Subscriber("one"), TWO, Subscriber("unknown")])
    assert leased(groups, clock).is_empty


def test_a_group_that_is_full_takes_nobody_else(groups: SubscriberGroups, clock: FakeClock) -> None:
    assert groups.add("order", 1, [ONE], EXPIRY, full_at=2)
    assert groups.add("order", 1, [TWO], EXPIRY, full_at=2)
    assert not groups.add("order", 1, [Subscriber("three", after_seq=0)], EXPIRY, full_at=2)
    found = leased(groups, clock)
    assert groups.replace(found, served(found, 1), "me")
    assert not groups.add("order", 1, [Subscriber("three", after_seq=1)], EXPIRY, full_at=2)
    assert groups.add("order", 1, [Subscriber("three", after_seq=1)], EXPIRY)


def test_a_lease_is_renewed_by_its_owner_alone(groups: SubscriberGroups, clock: FakeClock) -> None:
    groups.add("order", 1, [ONE], EXPIRY)
    leased(groups, clock)
    groups.add("order", 1, [TWO], EXPIRY)
    renewed = groups.renew("order", 1, "me", clock.now_ms() + LEASE_MS)
    assert renewed is not None
    assert renewed.joining == {ONE, TWO}
    assert groups.renew("order", 1, "other", clock.now_ms() + LEASE_MS) is None
    assert groups.replace(renewed, served(renewed, 1), "me")
    assert groups.renew("order", 1, "me", clock.now_ms() + LEASE_MS) is None, "the lease was returned"
    assert groups.renew("order", 2, "me", clock.now_ms() + LEASE_MS) is None, "no group"
    assert groups.get("order", 2) is None


def test_a_return_whose_answer_is_lost_leaves_no_lease_to_renew(dynamo: DynamoStores, clock: FakeClock) -> None:
    groups = dynamo.subscriber_groups
    groups.add("order", 1, [ONE], EXPIRY)
    found = leased(groups, clock)
    dynamo.aws.wire.lose_answer_to.append("UpdateItem")
    assert not groups.replace(found, served(found, 1), "me")
    assert groups.renew("order", 1, "me", clock.now_ms() + LEASE_MS) is None
    assert leased(groups, clock).members == {Subscriber("one")}


def test_a_group_whose_leases_begin_and_end_at_every_try_is_not_said_to_be_marked(
    dynamo: DynamoStores, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = dynamo.subscriber_groups
    groups.add("order", 1, [ONE], EXPIRY)
    monkeypatch.setattr(subscriber_groups, "update_if", lambda *_: False)
    with pytest.raises(ContendedError):
        leased(groups, clock)
