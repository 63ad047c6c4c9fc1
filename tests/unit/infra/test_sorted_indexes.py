"""The emulator answers every query alike with and without sorted indexes, and reads no more rows than DynamoDB."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.services import dynamodb

from infra.local.sorted_indexes import SortedIndexes

_TABLE = "sorted"
_REPLACED = ("_index_members", "_index_item", "_query")
#: Few values, some of them equal numbers in different spelling, so that rows share a place.
_NUMBERS = ("-3", "0", "1", "1.0", "2.5", "7", "70")
_TEXTS = ("m", "mm", "n", "ä")
_BETWEEN = " AND #r BETWEEN :low AND :high"

#: Most rows are in one partition of both indexes, so that the queries have rows to exclude.
_item = st.builds(
    lambda id, at, name, others: {"id": f"id-{id}", "for": "a", "at": at, "name": name} | others,
    st.integers(0, 19),
    st.sampled_from(_NUMBERS),
    st.sampled_from(_TEXTS),
    st.sampled_from([{}, {}, {}, {"for": "b"}, {"for": None}, {"at": None}, {"name": None}]),
).map(lambda item: {name: value for name, value in item.items() if value is not None})
_change = st.tuples(st.sampled_from(["put", "put", "put", "delete"]), _item)
_condition = st.sampled_from([*(f" AND #r {one} :low" for one in ("<", "<=", "=", ">=", ">")), _BETWEEN, ""])


_PLAIN = {name: getattr(dynamodb, name) for name in _REPLACED}
_SORTED = SortedIndexes(dynamodb)


@pytest.fixture(autouse=True, scope="module")
def _emulator_left_alone() -> Iterator[None]:
    yield
    _plainly()


def _plainly() -> None:
    for name, function in _PLAIN.items():
        setattr(dynamodb, name, function)


def _made(changes: list[tuple[str, dict[str, str]]], patched: bool) -> None:
    """Return a table after these changes, in an emulator with or without the patch."""
    _plainly()
    if patched:
        _SORTED.install()
    dynamodb._tables.pop(_TABLE, None)
    _done(dynamodb._create_table, **_SCHEMA)
    for number, (what, item) in enumerate(changes):
        if what == "put":
            _done(dynamodb._put_item, Item=_typed(item))
        else:
            _done(dynamodb._delete_item, Key={"id": {"S": item["id"]}})
        if number == len(changes) // 2:
            # The first query builds the index; later items must be added to it.
            _done(dynamodb._query, **_asking("byNumber", "", "a", "0", "0"))


def _typed(item: dict[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"N" if name == "at" else "S": value} for name, value in item.items()}


def _done(function: Any, **request: Any) -> dict[str, Any]:
    status, _, body = function({"TableName": _TABLE, **request})
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


def _key(name: str, kind: str) -> list[dict[str, str]]:
    return [{"AttributeName": "for", "KeyType": "HASH"}, {"AttributeName": name, "KeyType": kind}]


_SCHEMA: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind}
        for name, kind in {"id": "S", "for": "S", "at": "N", "name": "S"}.items()
    ],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {"IndexName": "byNumber", "KeySchema": _key("at", "RANGE"), "Projection": {"ProjectionType": "ALL"}},
        {"IndexName": "byName", "KeySchema": _key("name", "RANGE"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
        {
            "IndexName": "alone",
            "KeySchema": _key("name", "RANGE")[:1],
            "Projection": {"ProjectionType": "ALL"},
        },
    ],
}


def _asking(index: str, condition: str, partition: str, low: str, high: str) -> dict[str, Any]:
    kind, name = ("N", "at") if index == "byNumber" else ("S", "name")
    text = f"#h = :h{condition}"
    values = {":h": {"S": partition}, ":low": {kind: low}, ":high": {kind: high}}
    return {
        "IndexName": index,
        "KeyConditionExpression": f"({text})" if condition else text,
        "ExpressionAttributeNames": {"#h": "for", **({"#r": name} if condition else {})},
        "ExpressionAttributeValues": {key: value for key, value in values.items() if key in text},
    }


def _pages(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all pages of a query, each starting after the one before."""
    pages = [_done(dynamodb._query, **request)]
    while "LastEvaluatedKey" in pages[-1]:
        pages.append(_done(dynamodb._query, **request, ExclusiveStartKey=pages[-1]["LastEvaluatedKey"]))
    return pages


@given(
    changes=st.lists(_change, min_size=8, max_size=30),
    index=st.sampled_from(["byNumber", "byName", "alone"]),
    condition=_condition,
    partition=st.sampled_from(["a", "a", "a", "b", "none"]),
    bounds=st.tuples(st.integers(0, 99), st.integers(0, 99)).map(sorted),
    forward=st.booleans(),
    limit=st.one_of(st.none(), st.integers(1, 5)),
    filtered=st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_queries_have_the_same_answers_with_and_without_sorted_indexes(
    changes: list[tuple[str, dict[str, str]]],
    index: str,
    condition: str,
    partition: str,
    bounds: list[int],
    forward: bool,
    limit: int | None,
    filtered: bool,
) -> None:
    values = _NUMBERS if index == "byNumber" else _TEXTS
    low, high = (values[bound * len(values) // 100] for bound in bounds)
    request = _asking(index, "" if index == "alone" else condition, partition, low, high)
    request["ScanIndexForward"] = forward
    if limit:
        request["Limit"] = limit
    if filtered:
        request["FilterExpression"] = "attribute_exists(#f)"
        request["ExpressionAttributeNames"]["#f"] = "at"
    answers = []
    for patched in (False, True):
        _made(changes, patched)
        answers.append(_pages(request))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("forward", [True, False])
def test_a_query_reads_only_the_rows_it_returns(forward: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [("put", {"id": f"id-{number}", "for": "a", "at": str(number)}) for number in range(500)]
    _made(everything, patched=True)
    judged: list[Any] = []
    judge = dynamodb._evaluate_condition

    def counted(*args: Any, **kwargs: Any) -> Any:
        judged.append(1)
        return judge(*args, **kwargs)

    monkeypatch.setattr(dynamodb, "_evaluate_condition", counted)
    request = _asking("byNumber", " AND #r <= :low", "a", "9", "9")
    assert _done(dynamodb._query, **request, ScanIndexForward=forward)["Count"] == 10
    assert len(judged) == 10
