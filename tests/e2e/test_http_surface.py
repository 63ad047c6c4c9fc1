"""HTTP itself on the deployed system: methods, queries, preconditions, request ids and CORS."""

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.http.headers import FIXED_HEADERS
from tests.e2e.client import Client, Json, an_order, parse
from tests.support.stack import RunningStack

QUOTE = "/api/quotes?tokenIn=SOL&tokenOut=USDC&amountIn=1"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
#: Headers that differ between two equal requests.
OF_ONE_REQUEST = {"date", "x-request-id", "x-amzn-requestid", "x-amz-request-id"}


def limit(**changes: Any) -> Json:
    """A sale that waits for a price far above the market."""
    return an_order(type="limit", limitPrice=100_000, slippage=None, **changes)


@pytest.fixture(params=["front door", "bare API"])
def reader(request: pytest.FixtureRequest, stack: RunningStack) -> Client:
    address = stack.endpoints["http" if request.param == "front door" else "rest"]
    return Client(address, stack.endpoints["ws"], stack.key)


def refused(answer: Any, status: int = 400) -> list[tuple[str, str]]:
    body = parse(answer.text)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(error["field"], error["code"]) for error in body["errors"]]


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/api/tokens",
        "/api/orders?limit=1",
        "/api/orders?limit=0",
        "/api/orders/x",
        f"/api/orders/{UNKNOWN_ID}",
    ],
)
def test_head_answers_as_get_without_a_body(reader: Client, path: str) -> None:
    got, head = reader.get(path), reader.request("HEAD", path)
    assert head.content == b""
    assert head.status_code == got.status_code
    shown, same = ({k.lower(): v for k, v in answer.headers.items()} for answer in (head, got))
    assert {k: v for k, v in shown.items() if k not in OF_ONE_REQUEST} == {
        k: v for k, v in same.items() if k not in OF_ONE_REQUEST
    }


@pytest.mark.parametrize("path", [QUOTE, "/api/stats", "/api/engine"])
def test_head_answers_every_other_resource_too(reader: Client, path: str) -> None:
    head = reader.request("HEAD", path)
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/json")


def test_head_of_an_order_has_its_etag(client: Client) -> None:
    order_id = client.accept(**limit())["orderId"]
    for path in (f"/api/orders/{order_id}", f"/api/orders/{order_id}/events", f"/api/orders/status/{order_id}"):
        assert client.request("HEAD", path).status_code == 200
    assert client.request("HEAD", f"/api/orders/{order_id}").headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "/api/orders?limit=1&limit=2", {"limit"}),
        ("GET", "/api/orders?limit=1&limit=1&status=open&status=open", {"limit", "status"}),
        ("GET", f"{QUOTE}&amountIn=2", {"amountIn"}),
        ("GET", f"/api/orders/{UNKNOWN_ID}?x=1&x=2", {"x"}),
        ("GET", f"/api/orders/{UNKNOWN_ID}/events?afterSeq=1&afterSeq=2", {"afterSeq"}),
        ("GET", "/health?x&x", {"x"}),
        ("POST", "/api/orders/execute?upgrade=ws&upgrade=ws", {"upgrade"}),
    ],
)
def test_a_query_parameter_that_is_given_twice_is_refused(
    reader: Client, method: str, path: str, fields: set[str]
) -> None:
    answer = reader.request(method, path, {} if method == "POST" else None)
    assert set(refused(answer)) == {(field, "REPEATED") for field in fields}
    assert parse(answer.text)["code"] == "INVALID_QUERY"


def test_two_users_cancel_nobodys_orders(client: Client) -> None:
    mine = client.accept(**limit(userId="twice-a"))["orderId"]
    other = client.accept(**limit(userId="twice-b"))["orderId"]
    assert refused(client.request("DELETE", "/api/orders?userId=twice-a&userId=twice-b")) == [("userId", "REPEATED")]
    assert {client.record(order_id)["status"] for order_id in (mine, other)} == {"open"}


def test_a_query_that_was_not_utf_8_is_refused(client: Client) -> None:
    assert refused(client.get("/api/orders?clientOrderId=M%FCller")) == [("clientOrderId", "STRING_UNICODE")]
    assert client.get("/api/orders?clientOrderId=M%C3%BCller").status_code == 200


def test_if_match_takes_a_list_of_tags(client: Client) -> None:
    order_id = client.accept(**limit())["orderId"]

    def amend(header: str) -> Any:
        return client.request("PATCH", f"/api/orders/{order_id}", {"limitPrice": 90_000}, **{"If-Match": header})

    assert amend('"1", "2"').headers["etag"] == '"3"'
    assert amend('W/"9", "3"').status_code == 200
    refused(amend('"1", "2"'), 412)
    refused(amend('"abc"'), 412)
    refused(amend('"4" "5"'), 400)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/health"), ("GET", "/api/orders/x"), ("GET", "/nope"), ("POST", "/api/orders/execute"), ("GET", "/ws")],
)
def test_every_answer_names_its_request(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path, {} if method == "POST" else None)
    request_id = answer.headers["x-request-id"]
    assert answer.headers.get("x-amzn-requestid", request_id) == request_id
    assert parse(answer.text).get("requestId", request_id) == request_id
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/api/orders?userId=alice"),
        ("GET", "/api/orders/x"),
        ("HEAD", "/api/tokens"),
        ("GET", "/nope"),
        ("PUT", "/api/orders"),
        ("GET", "/ws"),
    ],
)
def test_no_cache_keeps_an_answer_and_no_browser_guesses_its_type(reader: Client, method: str, path: str) -> None:
    headers = reader.request(method, path).headers
    assert {name: headers.get(name) for name in FIXED_HEADERS} == FIXED_HEADERS


def test_a_browser_with_tracing_passes_the_preflight(reader: Client) -> None:
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "traceparent, tracestate, x-request-id, last-event-id",
    }
    answer = reader.request("OPTIONS", f"/api/orders/{UNKNOWN_ID}", **headers)
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"traceparent", "tracestate", "x-request-id", "if-match", "last-event-id"} <= allowed
    assert {"PATCH", "HEAD"} <= set(answer.headers["access-control-allow-methods"].split(","))


@pytest.mark.parametrize("path", ["/health/", "//health", "/api//orders///"])
def test_repeated_and_trailing_slashes_change_nothing(client: Client, path: str) -> None:
    # httpx2 itself would tidy some of these paths.
    address = urlsplit(client.http)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.request("GET", path, headers=client.credential)
    assert connection.getresponse().status == 200
    connection.close()


def test_a_post_with_the_key_of_a_handshake_is_a_post(client: Client) -> None:
    answer = client.request("POST", "/api/orders/execute", {}, **{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert {field for field, _ in refused(answer, 422)} == {"tokenIn", "tokenOut", "amountIn"}


@pytest.mark.parametrize("headers", [{}, {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}])
@pytest.mark.parametrize("path", ["/ws", f"/ws/orders/{UNKNOWN_ID}", "/api/orders/connect"])
def test_a_stream_path_without_a_handshake_is_a_problem(client: Client, path: str, headers: dict[str, str]) -> None:
    answer = client.request("GET", path, **headers)
    assert refused(answer) == []
    assert parse(answer.text)["code"] == "NOT_A_HANDSHAKE"
