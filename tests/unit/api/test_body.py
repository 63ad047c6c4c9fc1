"""The JSON of a client has one reading, or is refused."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import Problem, ProblemError
from chalicelib.api.requests.body import MAX_DEPTH, read_json

MAX_BYTES = 16 * 1024


def read(raw: str | bytes) -> dict[str, Any]:
    return read_json(raw, MAX_BYTES, "The body")


def refused(raw: str | bytes) -> Problem:
    with pytest.raises(ProblemError) as caught:
        read(raw)
    return caught.value.problem


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
).filter(lambda value: "\ufffd" not in str(value))


@given(st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\ufffd")), values), st.booleans())
def test_every_object_is_read_as_it_was_written(fields: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps(fields, ensure_ascii=ascii_only)
    assert read(text) == read(text.encode()) == fields


@pytest.mark.parametrize(
    "raw",
    [
        '{"clientOrderId":"Müller-7"}'.encode("latin-1"),
        '{"clientOrderId":"M\ufffdller-7"}',
        '{"clientOrderId":"M\\ufffdller-7"}',
        '{"clientOrderId":"M\\uFFFDller-7"}',
        '{"M\ufffd":1}',
        '{"launch":{"list":["a",{"M\\ufffd":1}]}}',
        '{"no\\ud83dte":1}',
        '{"note":"\\udc00\\ud800"}',
        '{"note":"\ud800"}',
        b'{"tokenIn":"\xff\xfe"}',
        '{"amountIn":1}'.encode("utf-16"),
    ],
)
def test_text_that_is_not_utf_8_is_refused(raw: str | bytes) -> None:
    problem = refused(raw)
    assert (problem.status, problem.code) == (400, ProblemCode.MALFORMED_JSON)
    assert "UTF-8" in problem.detail


def test_a_backslash_before_the_letters_of_an_escape_is_text() -> None:
    assert read(r'{"note":"\\ufffd \\ud800"}') == {"note": r"\ufffd \ud800"}
    assert read(r'{"note":"\ud83d\ude80"}') == {"note": "🚀"}


@pytest.mark.parametrize("raw", ["\ufeff{}", b"\xef\xbb\xbf{}", "\xef\xbb\xbf{}"])
def test_a_byte_order_mark_is_refused(raw: str | bytes) -> None:
    assert refused(raw).detail == "The body must begin without a byte order mark."


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ('{"amountIn":1,"amountIn":9}', ["amountIn"]),
        ('{"amountIn":1,"amountIn":1}', ["amountIn"]),
        ('{"amountIn":1,"amount\\u0049n":9}', ["amountIn"]),
        ('{"a":1,"b":1,"b":2,"c":{"d":1,"d":1,"d":1},"a":2}', ["d", "a", "b"]),
        ('{"action":"ping","action":"cancel_order"}', ["action"]),
        ('{"list":[{"x":1,"x":null}]}', ["x"]),
    ],
)
def test_a_name_that_comes_twice_is_named(raw: str, names: list[str]) -> None:
    problem = refused(raw)
    assert (problem.status, problem.code) == (400, ProblemCode.DUPLICATE_NAME)
    assert [error.field for error in problem.errors] == names


@pytest.mark.parametrize(
    "raw", ["", "{", "nonsense", "{'a':1}", '{"a":NaN}', '{"a":Infinity}', "[" * 9000, '{"a":1}x']
)
def test_anything_but_json_is_refused(raw: str) -> None:
    assert refused(raw).code is ProblemCode.MALFORMED_JSON


@pytest.mark.parametrize("raw", ["null", "1", '"text"', "[]", "[{}]"])
def test_json_other_than_an_object_is_refused(raw: str) -> None:
    assert refused(raw).detail == "The body must be a JSON object."


def test_a_number_of_thousands_of_digits_is_left_to_its_field() -> None:
    assert read(f'{{"amountIn":{"9" * 5000}}}') == {"amountIn": Decimal("9" * 5000)}


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1e-99999999999999999999"])
def test_a_number_that_no_type_holds_is_refused(number: str) -> None:
    assert refused(f'{{"clientOrderId":{number}}}').detail == "The body has a number out of range."


def test_the_limit_counts_bytes() -> None:
    assert refused('{"a":"' + "é" * (MAX_BYTES // 2) + '"}').status == 413
    assert len(read('{"a":"' + "é" * (MAX_BYTES // 2 - 8) + '"}')["a"]) == MAX_BYTES // 2 - 8


def nested(levels: int, opening: str, closing: str) -> str:
    """A body that nests so deep, with brackets in a text, and an escape for which every text in it is checked."""
    return '{"note":"\\u0041 [[[\\"{[","deep":' + opening * (levels - 1) + "1" + closing * (levels - 1) + "}"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_body_nests_at_most_32_levels(opening: str, closing: str) -> None:
    assert "deep" in read(nested(MAX_DEPTH, opening, closing))
    for levels in (MAX_DEPTH + 1, 500, 990, 2000):
        problem = refused(nested(levels, opening, closing))
        assert (problem.status, problem.code) == (400, ProblemCode.MALFORMED_JSON)
        assert problem.detail == "The body may nest objects and arrays 32 levels deep."


def test_many_values_side_by_side_do_not_nest() -> None:
    assert len(read('{"list":[' + ",".join(["[{}]"] * 1000) + "]}")["list"]) == 1000


@pytest.mark.parametrize("unit", ['\\"', '"', "\\", '""', '{"', '"{'])
def test_text_that_never_ends_is_refused_in_linear_time(unit: str) -> None:
    start = time.perf_counter()
    refused('{"a":"' + unit * (MAX_BYTES // 4))
    assert time.perf_counter() - start < 1
