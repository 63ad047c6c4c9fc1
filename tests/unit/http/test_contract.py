"""The documents of the contract are served to everybody, and a cache may keep them for a while."""

from collections.abc import Callable
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib.codec.exact_json import loads
from chalicelib.http.application import app
from chalicelib.http.contract import DIRECTORY
from chalicelib.http.headers import FIXED_HEADERS

Answer = dict[str, Any]
Call = Callable[..., Answer]
PATHS = ("/openapi.json", "/asyncapi.json")


@pytest.fixture
def call() -> Call:
    """Ask for a path as API Gateway does."""
    return lambda method, path, **query: ask(app, method, path, **query)


def ask(app: Chalice, method: str, path: str, *, tags: str = "", query: dict[str, list[str]] | None = None) -> Answer:
    event = {
        "requestContext": {"httpMethod": method, "resourcePath": path, "requestId": "r"},
        "headers": {"If-None-Match": tags} if tags else {},
        "multiValueHeaders": {"If-None-Match": [tags]} if tags else {},
        "multiValueQueryStringParameters": query,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
    }
    answer: Answer = app(event, None)
    return answer


@pytest.mark.parametrize("path", PATHS)
def test_a_document_is_served_as_it_is_committed(call: Call, path: str) -> None:
    answer = call("GET", path)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "application/json")
    assert answer["body"] == (DIRECTORY / path[1:]).read_text()


@pytest.mark.parametrize("path", PATHS)
def test_a_cache_may_keep_a_document_for_five_minutes(call: Call, path: str) -> None:
    headers = call("GET", path)["headers"]
    assert headers["Cache-Control"] == "public, max-age=300"
    others = {name: value for name, value in FIXED_HEADERS.items() if name != "Cache-Control"}
    assert others.items() <= headers.items()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_reader_who_has_the_document_gets_no_body(call: Call, method: str, form: str) -> None:
    tag = call("GET", "/openapi.json")["headers"]["ETag"]
    answer = call(method, "/openapi.json", tags=form.format(tag))
    assert (answer["statusCode"], answer["body"], answer["headers"]["ETag"]) == (304, "", tag)
    # The length would be that of the document.
    assert "Content-Length" not in answer["headers"]


def test_a_reader_with_another_version_gets_the_document(call: Call) -> None:
    assert call("GET", "/openapi.json", tags='"other"')["statusCode"] == 200
    assert call("GET", "/openapi.json")["headers"]["ETag"] != call("GET", "/asyncapi.json")["headers"]["ETag"]


def test_head_has_the_headers_of_get(call: Call) -> None:
    got, head = call("GET", "/openapi.json"), call("HEAD", "/openapi.json")
    length = str(len(got["body"].encode()))
    assert (head["body"], head["headers"]) == ("", got["headers"] | {"Content-Length": length})


def test_a_refused_request_for_a_document_may_not_be_cached(call: Call) -> None:
    answer = call("GET", "/openapi.json", query={"x": ["1", "2"]})
    assert (answer["statusCode"], loads(answer["body"])["code"]) == (400, "INVALID_QUERY")
    assert answer["headers"]["Cache-Control"] == "no-store"
