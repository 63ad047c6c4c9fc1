"""Every HTTP route needs a credential and its scope, and serves the holder of the credential."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.auth.key_text import new_key
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.domain.identity import ANONYMOUS, Scope
from chalicelib.domain.status import OrderType, Status
from chalicelib.http import callers, explanations, market, orders, page, streams
from chalicelib.http.application import app
from chalicelib.http.page_files import page_files
from tests.support.api_keys import a_key
from tests.support.contract import document
from tests.support.workbench import Workbench, a_workbench

ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1}
QUERY = {"tokenIn": ["SOL"], "tokenOut": ["USDC"], "amountIn": ["1"]}
PRICE = {"type": "price", "pair": "SOL/USDC", "price": 100}


@dataclass(frozen=True)
class Route:
    """A valid request to a route, the scope that it needs, and the status of its response."""

    scope: Scope
    status: int = 200
    body: Mapping[str, Any] | None = None
    query: Mapping[str, list[str]] | None = None


#: Every route but the open ones. ``{order_id}`` is an open limit order of Alice's.
ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/api/orders/execute"): Route(Scope.TRADE, 202, ORDER),
    ("POST", "/orders"): Route(Scope.TRADE, 202, ORDER),
    ("POST", "/api/orders/preview"): Route(Scope.READ, 200, ORDER),
    ("GET", "/api/orders"): Route(Scope.READ),
    ("DELETE", "/api/orders"): Route(Scope.TRADE, query={"userId": ["alice"]}),
    ("GET", "/api/orders/{order_id}"): Route(Scope.READ),
    ("PATCH", "/api/orders/{order_id}"): Route(Scope.TRADE, 200, {"limitPrice": 300}),
    ("DELETE", "/api/orders/{order_id}"): Route(Scope.TRADE),
    ("GET", "/api/orders/status/{order_id}"): Route(Scope.READ),
    ("GET", "/api/orders/{order_id}/events"): Route(Scope.READ),
    ("GET", "/api/orders/{order_id}/explain"): Route(Scope.READ),
    ("GET", "/api/quotes"): Route(Scope.READ, query=QUERY),
    ("POST", "/api/market/events"): Route(Scope.OPERATE, 202, PRICE),
    ("POST", "/api/stream-tickets"): Route(Scope.READ, 201),
    ("GET", "/api/stats"): Route(Scope.READ),
    ("GET", "/api/engine"): Route(Scope.OPERATE),
}
ROUTES |= {("HEAD", path): route for (method, path), route in ROUTES.items() if method == "GET"}
OPEN_PATHS = ("/health", "/api/tokens", "/", "/ui/{name}", "/openapi.json", "/asyncapi.json", "/docs", "/llms.txt")
OPEN = [(method, path) for path in OPEN_PATHS for method in ("GET", "HEAD")]
#: The routes that take a user in the body or in the query.
NAMING_A_USER = {
    **{("POST", path): "body" for path in ("/api/orders/execute", "/orders", "/api/orders/preview")},
    **{(method, "/api/orders"): "query" for method in ("GET", "HEAD", "DELETE")},
    **{(method, "/api/stats"): "query" for method in ("GET", "HEAD")},
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


Call = Callable[..., Answer]


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(auth=True)


@pytest.fixture
def order_id(bench: Workbench) -> str:
    return bench.submit(user_id="alice", type=OrderType.LIMIT, limit_price=Decimal(250))


@pytest.fixture
def call(bench: Workbench, order_id: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call a route as API Gateway does; ``authorizations`` are the values of the ``Authorization`` headers."""
    for module in (callers, explanations, market, orders, page, streams):
        monkeypatch.setattr(module, "engine", lambda: bench.engine)

    def request(
        method: str,
        path: str,
        *authorizations: str,
        body: Any = None,
        query: Mapping[str, list[str]] | None = None,
        **headers: str,
    ) -> Answer:
        named = {"content-type": ["application/json"]} | {name.replace("_", "-"): [headers[name]] for name in headers}
        named |= {"aUTHORIZATION": list(authorizations)} if authorizations else {}
        answer = app(
            {
                "requestContext": {"httpMethod": method, "resourcePath": path, "requestId": "request"},
                "headers": {name: values[-1] for name, values in named.items()},
                "multiValueHeaders": named,
                "multiValueQueryStringParameters": query,
                "pathParameters": {"order_id": order_id, "name": page_files()["style"].name},
                "stageVariables": None,
                "body": body if body is None or isinstance(body, str) else dumps(body),
                "isBase64Encoded": False,
            },
            None,
        )
        text = answer["body"] if "json" in answer["headers"].get("Content-Type", "") else ""
        return Answer(answer["statusCode"], answer["headers"], loads(text) if text else {})

    return request


def send(call: Call, route: tuple[str, str], *authorizations: str, user_id: str | None = None) -> Answer:
    """Send the valid request of the table, which names this user."""
    wanted, place = ROUTES[route], NAMING_A_USER.get(route)
    body, query = wanted.body, wanted.query
    if user_id is not None and place == "body":
        body = {**(body or {}), "userId": user_id}
    elif user_id is not None:
        query = {**(query or {}), "userId": [user_id]}
    return call(*route, *authorizations, body=body, query=query)


def bearer(bench: Workbench, user_id: str, *scopes: Scope) -> str:
    return f"Bearer {a_key(bench, user_id, *scopes)}"


def test_every_route_is_in_the_table_or_open() -> None:
    routes = {(method, path) for path, methods in app.routes.items() for method in methods}
    assert routes == ROUTES.keys() | set(OPEN)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_needs_a_credential(call: Call, bench: Workbench, order_id: str, route: tuple[str, str]) -> None:
    before = bench.orders.get(order_id)
    answer = send(call, route)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="order-execution-engine"')
    assert answer.body.get("code") == (None if route[0] == "HEAD" else "MISSING_CREDENTIAL")
    assert bench.orders.get(order_id) == before


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_needs_its_scope(call: Call, bench: Workbench, order_id: str, route: tuple[str, str]) -> None:
    before, missing = bench.orders.get(order_id), ROUTES[route].scope
    answer = send(call, route, bearer(bench, "alice", *(set(Scope) - {missing})))
    assert (answer.status, answer.body.get("code")) == (403, None if route[0] == "HEAD" else "MISSING_SCOPE")
    assert route[0] == "HEAD" or answer.body["detail"] == f"The credential does not grant the scope {missing}."
    assert bench.orders.get(order_id) == before


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_the_contract_names_the_scope_of_a_route(route: tuple[str, str]) -> None:
    method, path = route
    operation = document("openapi.json")["paths"][path.replace("{order_id}", "{orderId}")][method.lower()]
    assert operation["security"] == [{"bearer": [ROUTES[route].scope.value]}]


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_caller_with_the_scope_is_served(call: Call, bench: Workbench, route: tuple[str, str]) -> None:
    assert send(call, route, bearer(bench, "alice", ROUTES[route].scope)).status == ROUTES[route].status


@pytest.mark.parametrize("route", OPEN, ids=" ".join)
def test_an_open_route_needs_no_credential_and_ignores_one(call: Call, route: tuple[str, str]) -> None:
    assert [call(*route, *headers).status for headers in ((), ("Bearer nonsense",))] == [200, 200]


@pytest.mark.parametrize("route", [route for route in ROUTES if "{order_id}" in route[1]], ids=" ".join)
def test_an_order_of_another_user_does_not_exist(call: Call, bench: Workbench, route: tuple[str, str]) -> None:
    assert send(call, route, bearer(bench, "bob", Scope.READ, Scope.TRADE)).status == 404
    assert send(call, route, bearer(bench, "carol")).status == ROUTES[route].status


@pytest.mark.parametrize("route", NAMING_A_USER, ids=" ".join)
def test_a_request_may_name_its_caller_alone(call: Call, bench: Workbench, route: tuple[str, str]) -> None:
    own, operator = bearer(bench, "bob", Scope.READ, Scope.TRADE), bearer(bench, "carol")
    assert send(call, route, own, user_id="bob").status == ROUTES[route].status
    refused = send(call, route, own, user_id="alice")
    assert refused.status == 403
    assert route[0] == "HEAD" or refused.body["detail"] == "The credential does not grant the scope operate."
    assert send(call, route, operator, user_id="alice").status == ROUTES[route].status


def test_a_request_that_names_nobody_is_its_callers(call: Call, bench: Workbench) -> None:
    bob = bearer(bench, "bob", Scope.READ, Scope.TRADE)
    placed = send(call, ("POST", "/orders"), bob).body["orderId"]
    assert bench.order(placed).spec.user_id == "bob"
    listed = send(call, ("GET", "/api/orders"), bob).body["orders"]
    assert [order["orderId"] for order in listed] == [placed]


def test_a_cancel_of_all_orders_names_its_user(call: Call, bench: Workbench, order_id: str) -> None:
    """A path that lost its order id, as by a mistake in a client, cancels nothing."""
    alice = bearer(bench, "alice", Scope.TRADE)
    assert call("DELETE", "/api/orders", alice).status == 400
    assert bench.order(order_id).status is Status.OPEN
    cancelled = send(call, ("DELETE", "/api/orders"), alice).body["cancelled"]
    assert [order["orderId"] for order in cancelled] == [order_id]


@pytest.mark.parametrize("place", ["body", "content-type", "query", "path", "key"])
def test_a_stranger_learns_nothing_from_a_request_that_is_wrong_otherwise(
    call: Call, bench: Workbench, place: str
) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "body": {"body": "{"},
        "content-type": {"body": "x", "content_type": "text/plain"},
        "query": {"query": {"userId": ["a", "b"]}},
        "path": {},
        "key": {"body": ORDER, "idempotency_key": ""},
    }
    path = "/api/unknown" if place == "path" else "/orders"
    method = "PUT" if place == "path" else "POST"
    assert call(method, path, **wrong[place]).body["code"] == "MISSING_CREDENTIAL"


#: Without a credential, with one of another scheme, with several, damaged ones, and ones that do not count.
BAD: dict[str, tuple[str, Callable[[Workbench], list[str]]]] = {
    "empty": ("MISSING_CREDENTIAL", lambda bench: [""]),
    "two": ("INVALID_CREDENTIAL", lambda bench: [bearer(bench, "alice")] * 2),
    "two, one empty": ("INVALID_CREDENTIAL", lambda bench: [bearer(bench, "alice"), ""]),
    "another scheme": ("INVALID_CREDENTIAL", lambda bench: ["Basic dXNlcjpwYXNz"]),
    "no token": ("INVALID_CREDENTIAL", lambda bench: ["Bearer"]),
    "8 KB": ("INVALID_CREDENTIAL", lambda bench: ["Bearer " + "a" * 8192]),
    "a control character": ("INVALID_CREDENTIAL", lambda bench: [bearer(bench, "alice") + "\x00"]),
    "a wrong checksum": ("INVALID_CREDENTIAL", lambda bench: [bearer(bench, "alice")[:-1] + "~"]),
    "another stage": ("INVALID_CREDENTIAL", lambda bench: [f"Bearer {new_key('prod').text}"]),
    "unknown": ("INVALID_CREDENTIAL", lambda bench: [f"Bearer {new_key('local').text}"]),
    "expired": ("EXPIRED_CREDENTIAL", lambda bench: [f"Bearer {a_key(bench, expires_at=1)}"]),
    "revoked": ("INVALID_CREDENTIAL", lambda bench: [f"Bearer {a_key(bench, revoked_at=1)}"]),
    "a token without an issuer": ("INVALID_CREDENTIAL", lambda bench: ["Bearer a.b.c"]),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_credential_is_401_and_says_no_more_than_its_code(call: Call, bench: Workbench, kind: str) -> None:
    code, headers = BAD[kind]
    answer = call("GET", "/api/orders", *headers(bench))
    assert (answer.status, answer.body["code"], answer.body["errors"]) == (401, code, [])
    error = "" if code == "MISSING_CREDENTIAL" else ', error="invalid_token"'
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="order-execution-engine"{error}'
    details = {
        "MISSING_CREDENTIAL": "The request needs a credential: Authorization: Bearer, and an API key or a token.",
        "INVALID_CREDENTIAL": "The credential is not valid.",
        "EXPIRED_CREDENTIAL": "The credential has expired.",
    }
    assert answer.body["detail"] == details[code]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_may_have_any_case(call: Call, bench: Workbench, scheme: str) -> None:
    assert call("GET", "/api/orders", bearer(bench, "alice").replace("Bearer", scheme)).status == 200


def test_a_page_of_the_allowed_origin_can_read_why_it_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGIN", "https://app.example")
    headers = call("GET", "/api/orders").headers
    assert headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert {"WWW-Authenticate", "Retry-After"} <= set(headers["Access-Control-Expose-Headers"].split(","))
    assert headers["X-Request-Id"] == "request"


def test_an_engine_that_cannot_check_a_credential_asks_to_try_again(call: Call, bench: Workbench) -> None:
    key = bearer(bench, "alice")
    bench.secrets.down = True
    answer = call("GET", "/api/orders", key)
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "UNAVAILABLE", "5")
    assert "WWW-Authenticate" not in answer.headers


def test_without_the_list_of_all_values_the_header_itself_counts(
    bench: Workbench, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``chalice local`` passes no ``multiValueHeaders``."""
    event = {
        "requestContext": {"httpMethod": "GET", "resourcePath": "/api/orders"},
        "headers": {"authorization": bearer(bench, "alice")},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": {},
        "body": None,
    }
    assert app(event, None)["statusCode"] == 200


def test_without_authentication_a_request_is_for_the_user_that_it_names(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = a_workbench(auth=False)
    for module in (callers, explanations, market, orders, streams):
        monkeypatch.setattr(module, "engine", lambda: opened.engine)
    for user_id in ("bob", None):
        placed = send(call, ("POST", "/orders"), user_id=user_id)
        assert opened.order(placed.body["orderId"]).spec.user_id == (user_id or ANONYMOUS)
    assert call("DELETE", "/api/orders").body["errors"][0]["code"] == "REQUIRED"
    assert send(call, ("GET", "/api/orders")).status == 200
