"""Pages of other origins read answers only if the settings allow it, from the app and from ``chalice local``."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalGateway

from chalicelib.http.application import app
from chalicelib.http.cors import ALLOW_ORIGIN, allowed_origin
from chalicelib.http.headers import FIXED_HEADERS

PAGE = "https://app.example"


@pytest.fixture(params=[("on", ""), ("on", PAGE), ("on", "*"), ("off", ""), ("off", PAGE)], ids=str)
def allowed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The origin that the process allows by its environment."""
    auth, origin = request.param
    monkeypatch.setenv("AUTH", auth)
    monkeypatch.setenv("CORS_ORIGIN", origin)
    return allowed_origin() or None


def answered(app: Chalice, method: str, path: str, kind: str = "application/json") -> Mapping[str, Any]:
    event = {
        "requestContext": {"httpMethod": method, "resourcePath": path, "requestId": "r"},
        "headers": {"Content-Type": kind, "Origin": PAGE},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": None,
    }
    headers: dict[str, Any] = app(event, None)["headers"]
    return headers


@pytest.mark.parametrize(
    ("auth", "origin", "allowed"),
    [
        ("", "", ""),
        ("on", "", ""),
        ("off", "", "*"),
        ("off", PAGE, PAGE),
        ("on", PAGE, PAGE),
        ("on", "*", "*"),
        ("maybe", "", ""),
        ("on", "https://app.example/", ""),
    ],
)
def test_a_page_of_another_origin_is_allowed_by_name_or_while_everybody_is(
    auth: str, origin: str, allowed: str
) -> None:
    assert allowed_origin({"AUTH": auth, "CORS_ORIGIN": origin}) == allowed


def test_every_answer_of_the_app_names_the_allowed_origin_alone(allowed: str | None) -> None:
    for headers in (answered(app, "GET", "/api/tokens"), answered(app, "POST", "/orders", "text/plain")):
        assert headers.get(ALLOW_ORIGIN) == allowed
        assert FIXED_HEADERS.items() <= headers.items()


def test_chalice_local_answers_preflights_alike(allowed: str | None) -> None:
    gateway = LocalGateway(app, Config())
    preflight = gateway.handle_request("OPTIONS", "/api/tokens", {"origin": PAGE}, b"")
    assert preflight["headers"].get(ALLOW_ORIGIN) == allowed
    assert "Authorization" in preflight["headers"]["Access-Control-Allow-Headers"].split(",")
    answer = gateway.handle_request("GET", "/api/tokens", {"origin": PAGE}, b"")
    assert answer["headers"].get(ALLOW_ORIGIN) == allowed
    assert json.loads(answer["body"])
