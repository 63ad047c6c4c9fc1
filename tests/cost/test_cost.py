"""The cost of an order: the rules of the units, the document against the measurement, and the prices."""

from typing import Any

import pytest

from tests.contract.stores.aws import resources
from tests.cost import documents, economics, pair
from tests.cost.capacity import Index, Item, indexes_of, item_bytes, read_units, write_units
from tests.cost.doors import PROCESS
from tests.cost.durations import seconds
from tests.cost.kinds import MARKET
from tests.cost.measurement import Measurement, measured
from tests.cost.prices import table
from tests.cost.site import Invocation
from tests.cost.tables import tables
from tests.scale import scales
from tests.scale.venue_times import mean_seconds

BY_USER = Index("byUser", ("user", "at"), frozenset({"id", "user", "at"}))


@pytest.fixture(scope="module")
def measurement() -> Measurement:
    return measured()


@pytest.fixture(scope="module")
def process(measurement: Measurement) -> Invocation:
    return next(one for one in measurement.market if one.function == PROCESS)


def an_item(**attributes: str) -> Item:
    return {"id": {"S": "1"}, **{name: {"S": value} for name, value in attributes.items()}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é"}, 2),
        ({"N": "1"}, 2),
        ({"N": "-120.50"}, 3),
        ({"N": "1767268800000"}, 5),
        ({"BOOL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 8),
        ({"M": {"k": {"S": "ab"}}}, 7),
    ],
)
def test_the_size_of_an_attribute_is_that_of_the_documentation(value: Any, size: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1024, 1), (1025, 2), (4096, 4)])
def test_a_write_costs_a_unit_for_each_kilobyte_that_it_begins(size: int, units: int) -> None:
    assert write_units(size) == units


def test_a_consistent_read_costs_twice_as_much_as_another() -> None:
    assert read_units(4097, consistent=True) == 2 * read_units(4097, consistent=False) == 2


def test_an_index_is_written_only_when_its_entry_changes() -> None:
    before = an_item(user="alice", at="1", status="open")
    assert BY_USER.write_units(before, an_item(user="alice", at="1", status="over")) == []
    assert BY_USER.write_units(None, an_item(status="open")) == []
    assert BY_USER.write_units(None, before) == [("alice", 1)]
    assert BY_USER.write_units(before, an_item(status="over")) == [("alice", 1)]


def test_an_entry_that_moves_in_an_index_costs_two_writes() -> None:
    moved = BY_USER.write_units(an_item(user="alice", at="1"), an_item(user="bob", at="1"))
    assert moved == [("alice", 1), ("bob", 1)]


def test_an_index_that_projects_whole_items_costs_their_whole_size() -> None:
    whole = Index("whole", ("user",), None)
    assert whole.write_units(None, an_item(user="alice", text="x" * 2000)) == [("alice", 2)]


def test_the_indexes_are_those_of_the_template() -> None:
    properties = resources()["Resources"]["OrdersTable"]["Properties"]
    found = {index.name: index for index in indexes_of(properties)}
    assert found["waiting"].attributes is None
    assert found["attention"].attributes == frozenset({"orderId", "attentionShard", "attentionAt", "createdAt"})


def test_the_document_has_what_is_measured(measurement: Measurement) -> None:
    # `make cost WRITE=1` writes the tables of a change that is meant.
    assert documents.places("cost") == {name: text.strip("\n") for name, text in tables(measurement).items()}


def test_every_kind_of_order_swaps_once_or_never(measurement: Measurement) -> None:
    swaps = {
        kind: sum(one.usage.writes["LedgerTable"] for one in invocations)
        for kind, invocations in measurement.kinds.items()
    }
    assert set(swaps.values()) == {0, 1}
    assert [kind for kind, swapped in swaps.items() if not swapped] == ["limit that waits and is cancelled"]


def test_an_order_on_a_socket_is_pushed_every_event(measurement: Measurement) -> None:
    [process] = [one for one in measurement.kinds["market over a socket"] if one.function == PROCESS]
    # routing, its quotes, building, submitted, confirmed
    assert process.pushes == 5


def test_the_pair_and_the_engine_cost_the_same_at_the_break_even(measurement: Measurement) -> None:
    orders = economics.break_even(measurement)
    ours, theirs = economics.engine_month(measurement, orders).usd(), pair.month(orders).usd()
    assert ours == pytest.approx(theirs, abs=1)


def test_every_lever_but_none_makes_an_order_cheaper(measurement: Measurement) -> None:
    now, *others = economics.levers(measurement)
    assert all(lever.bill.usd() < now.bill.usd() for lever in others)


def test_every_price_names_its_list_and_where_it_was_read() -> None:
    for name, price in table()["prices"].items():
        assert price["usd"] > 0, name
        assert price["source"].startswith("https://aws.amazon.com/"), name
        assert price["seen"] == "memory" or price["seen"].startswith("https://"), name
    assert table()["free"].keys() <= table()["prices"].keys()


@pytest.mark.parametrize(("memory", "own"), [(256, scales.OWN_SECONDS), (512, scales.OWN_SECONDS_512)])
def test_the_simulation_gives_an_order_the_time_that_its_cost_has(
    process: Invocation, memory: int, own: float
) -> None:
    assert seconds(MARKET.name, process, memory) - mean_seconds() == pytest.approx(own, rel=0.2)
