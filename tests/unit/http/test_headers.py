"""Headers over HTTP: those of every answer, and those that a request has more than once."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.http import callers, explanations, market, orders, streams
from chalicelib.http.application import app
from chalicelib.http.headers import FIXED_HEADERS
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit
from tests.support.workbench import Workbench, a_workbench

Answer = dict[str, Any]
Call = Callable[..., Answer]

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
ORDER = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1, "userId": "alice"}


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


@pytest.fixture
def call(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call a route with an event as API Gateway makes it; ``lines`` are the request's header lines."""
    for module in (callers, explanations, orders, market, streams):
        monkeypatch.setattr(module, "engine", lambda: bench.engine)

    def request(method: str, route: str, *lines: tuple[str, str], body: Any = None, order_id: str = "") -> Answer:
        lines = (("Content-Type", "application/json"), *lines)
        event = {
            "requestContext": {"httpMethod": method, "resourcePath": route, "requestId": "r"},
            "headers": dict(lines),
            "multiValueHeaders": {name: [value for other, value in lines if other == name] for name, _ in lines},
            "multiValueQueryStringParameters": None,
            "pathParameters": {"order_id": order_id},
            "stageVariables": None,
            "body": None if body is None else dumps(body),
        }
        answer: Answer = app(event, None)
        return answer

    return request


def protected(answer: Answer) -> bool:
    headers: dict[str, str] = answer["headers"]
    return FIXED_HEADERS.items() <= headers.items()


def test_no_answer_of_any_route_may_be_cached_or_guessed_at(call: Call, bench: Workbench) -> None:
    order_id = bench.submit()
    answers = {
        (method, route, known): call(method, route, body={}, order_id=known)
        for route, methods in app.routes.items()
        if not route.endswith((".json", ".txt", "/docs", "/", "/ui/{name}"))
        for method in methods
        for known in (order_id, UNKNOWN_ID, "x")
    }
    assert {answer["statusCode"] for answer in answers.values()} >= {200, 400, 404, 422}
    assert [asked for asked, answer in answers.items() if not protected(answer)] == []


def test_errors_that_chalice_answers_may_not_be_cached(call: Call) -> None:
    wrong_method = call("PUT", "/health")
    wrong_type = call("POST", "/orders", ("Content-Type", "text/plain"), body={})
    assert (wrong_method["statusCode"], wrong_type["statusCode"]) == (405, 415)
    assert protected(wrong_method)
    assert protected(wrong_type)


@pytest.mark.parametrize("second", ["one", "two"])
def test_an_idempotency_key_that_is_given_twice_is_refused(call: Call, bench: Workbench, second: str) -> None:
    keys = [("Idempotency-Key", "one"), ("Idempotency-Key", second)]
    answer = call("POST", "/api/orders/execute", *keys, body=ORDER)
    problem = loads(answer["body"])
    assert (problem["status"], problem["code"]) == (400, "MALFORMED_KEY")
    assert problem["detail"] == "Idempotency-Key is given more than once."
    assert bench.orders.writes == 0
    assert call("POST", "/api/orders/execute", keys[0], body=ORDER)["statusCode"] == 202


def test_tags_on_several_lines_are_one_list(call: Call, bench: Workbench) -> None:
    order_id = bench.engine.submit(ANYONE, a_limit(900)).order_id

    def amend(*tags: str) -> int:
        lines = [("If-Match", tag) for tag in tags]
        answer = call("PATCH", "/api/orders/{order_id}", *lines, body={"limitPrice": 800}, order_id=order_id)
        status: int = answer["statusCode"]
        return status

    assert amend("*", '"9"') == 400
    assert amend('"8"', '"9"') == 412
    assert amend('"2"', '"9"') == 200
