"""A stack's tables gain and lose at most one global secondary index per update, which is what AWS accepts."""

import json
from typing import Any

import pytest

from infra.aws.index_steps import IndexChangeError, index_steps
from infra.aws.package import RESOURCES
from infra.aws.template import load_template
from infra.project import ROOT
from tests.support.tables import attribute, names, table, template

#: The indexes of the orders table of version 0.2.0.
FORMER = ("attention", "userOpen", "waiting")


def steps(before: dict[str, Any], after: dict[str, Any]) -> list[list[str]]:
    return [names(step.template) for step in index_steps(template(Orders=before), template(Orders=after))]


@pytest.mark.parametrize(
    ("before", "after"), [((), ()), (("a",), ("a",)), (("a",), ("a", "b")), (("a", "b"), ("b",)), ((), ("a",))]
)
def test_one_changed_index_needs_no_update_of_its_own(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    assert steps(table(*before), table(*after)) == []


def test_two_missing_indexes_need_one_update_before() -> None:
    assert steps(table("a"), table("a", "b", "c")) == [["a", "b"]]


def test_three_missing_indexes_need_two_updates_before() -> None:
    assert steps(table(), table("a", "b", "c")) == [["a"], ["a", "b"]]


def test_a_new_index_is_created_before_a_former_one_is_deleted() -> None:
    assert steps(table("a"), table("b")) == [["a", "b"]]
    assert steps(table("a", "b"), table("c")) == [["a", "b", "c"], ["b", "c"]]


def test_all_indexes_of_a_table_can_be_deleted() -> None:
    [step] = index_steps(template(Orders=table("a", "b")), template(Orders=table()))
    assert names(step.template) == ["b"]
    [*_, last] = index_steps(template(Orders=table("a", "b")), template(Orders=table("c", "d")))
    assert names(last.template) == ["b", "c", "d"]


def test_an_update_defines_the_attributes_of_its_keys_and_no_others() -> None:
    created, deleted = index_steps(template(Orders=table("a", "b")), template(Orders=table("c", c="N")))
    both, kept = (
        step.template["Resources"]["Orders"]["Properties"]["AttributeDefinitions"] for step in (created, deleted)
    )
    assert sorted(one["AttributeName"] for one in both) == ["a", "b", "c", "id"]
    assert sorted(one["AttributeName"] for one in kept) == ["b", "c", "id"]
    assert attribute("c", "N") in both


def test_the_keys_of_local_indexes_stay_defined() -> None:
    local = [{"IndexName": "l", "KeySchema": [{"AttributeName": "at", "KeyType": "RANGE"}]}]
    before, after = (table(*indexes) | {"LocalSecondaryIndexes": local} for indexes in ((), ("a", "b")))
    for one in (before, after):
        one["AttributeDefinitions"].append(attribute("at", "N"))
    [step] = index_steps(template(Orders=before), template(Orders=after))
    assert attribute("at", "N") in step.template["Resources"]["Orders"]["Properties"]["AttributeDefinitions"]


def test_tables_change_side_by_side_and_nothing_else_changes() -> None:
    before = template(Orders=table(), Ledger=table("a"), Former=table("z"), Same=table("x"))
    after = template(Orders=table("a", "b", "c"), Ledger=table("a", "b", "c"), New=table("y", "z"), Same=table("x"))
    before["Resources"]["Orders"]["DeletionPolicy"] = "Retain"
    untouched = json.dumps(before)
    first, second = index_steps(before, after)
    assert first.action == "create the index a of Orders and create the index b of Ledger"
    assert second.action == "create the index b of Orders"
    indexes = [names(second.template, one) for one in ("Orders", "Ledger", "Former", "Same")]
    assert indexes == [["a", "b"], ["a", "b"], ["z"], ["x"]]
    assert "New" not in second.template["Resources"]
    assert second.template["Resources"]["Orders"]["DeletionPolicy"] == "Retain"
    assert second.template["Parameters"] == before["Parameters"]
    assert json.dumps(before) == untouched


@pytest.mark.parametrize(
    ("part", "value"),
    [("KeySchema", [{"AttributeName": "id", "KeyType": "HASH"}]), ("Projection", {"ProjectionType": "ALL"})],
)
def test_a_changed_index_is_refused_by_name_before_any_update(part: str, value: Any) -> None:
    after = table("a", "b", "c")
    after["GlobalSecondaryIndexes"][0][part] = value
    with pytest.raises(IndexChangeError, match=r"The index a of Orders changes .* give the index another name"):
        steps(table("a"), after)


def test_an_attribute_of_another_type_is_refused() -> None:
    with pytest.raises(IndexChangeError, match="The attribute a of Orders changes from S to N"):
        steps(table("a"), table("a", a="N"))


def test_the_orders_table_of_version_0_2_0_needs_one_update_before() -> None:
    orders = load_template(ROOT / RESOURCES)["Resources"]["OrdersTable"]["Properties"]
    former = [index for index in orders["GlobalSecondaryIndexes"] if index["IndexName"] in FORMER]
    attributes = [one for one in orders["AttributeDefinitions"] if one["AttributeName"] not in ("userId", "endedAt")]
    before = orders | {"GlobalSecondaryIndexes": former, "AttributeDefinitions": attributes}
    [step] = index_steps(template(Orders=before), template(Orders=orders))
    assert names(step.template) == [*FORMER, "userOrders"]
    assert step.template["Resources"]["Orders"]["Properties"]["AttributeDefinitions"] == [
        one for one in orders["AttributeDefinitions"] if one["AttributeName"] != "endedAt"
    ]
