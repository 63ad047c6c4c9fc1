"""The settings of a client, the errors that it raises, and its escape hatch."""

import copy
import pickle
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import orderengine
from orderengine import Client, errors
from orderengine.core.answers import problem_of, server_time
from orderengine.core.clock import ServerClock
from orderengine.core.commands import Response
from orderengine.core.session import Options, Session
from orderengine.io.addresses import addresses
from tests.client.samples import ORDER_ID, record, verdict
from tests.client.scripted import START, Script, answer, lost, problem
from tests.client.shells import Shell


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": None},
        {"try_timeout": 0},
        {"retries": -1},
        {"retries": 1.5},
        {"key": "a b"},
        {"key": "ключ"},
        {"key": "a\r\nx-admin: 1"},
        {"base_url": "localhost:8000"},
        {"base_url": "ftp://engine"},
        {"base_url": "http://"},
        {"base_url": "http://engine:x"},
        {"base_url": "http://engine/?a=1"},
        {"base_url": "http://user:secret@engine"},
        {"base_url": "http://eng\x00ine"},
        {"ws_url": "engine"},
        {"timeout": True},
        {"api_key": "secret"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        Client(**settings)
    assert "secret" not in str(caught.value)


def test_the_environment_stands_in_for_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OE_URL": "https://engine/prod/", "OE_KEY": "oek_1", "OE_USER": "bot-1"}.items():
        monkeypatch.setenv(name, value)
    session = Client()._session
    assert (session.options.key, session.options.user) == ("oek_1", "bot-1")
    assert Client(key="oek_2")._session.options.key == "oek_2"


@pytest.mark.parametrize(
    ("base_url", "ws_url", "http", "ws"),
    [
        ("https://engine/prod/", None, "https://engine/prod", "wss://engine/prod"),
        ("http://[::1]:8000", None, "http://[::1]:8000", "ws://[::1]:8000"),
        ("https://api", "https://sockets/prod", "https://api", "wss://sockets/prod"),
        ("https://api", "ws://sockets", "https://api", "ws://sockets"),
    ],
)
def test_sockets_are_at_the_address_of_http_unless_told(
    base_url: str, ws_url: str | None, http: str, ws: str
) -> None:
    found = addresses(base_url, ws_url)
    assert (found.http, found.ws) == (http, ws)


def test_an_unknown_setting_is_told_with_the_names_that_there_are() -> None:
    with pytest.raises(errors.InvalidArgument, match="no setting api_key: a client has key, user, timeout"):
        Client(api_key="oek_1")  # type: ignore[call-arg]


def test_a_function_gives_each_request_the_present_key(shell: Shell, script: Script) -> None:
    keys = iter(["one", "two", "three\r\nx-admin: 1"])
    client = shell.client(script.then(lost(), answer(200, record())), key=lambda: next(keys))
    shell(client.order(ORDER_ID))
    assert [one.headers["authorization"] for one in script.requests] == ["Bearer one", "Bearer two"]
    with pytest.raises(errors.InvalidArgument, match="key is not") as caught:
        shell(client.order(ORDER_ID))
    assert "three" not in str(caught.value)


def test_the_session_of_one_request_shares_the_clock_that_it_learns(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(answer(200, record(), date=START)))
    shell(client.order(ORDER_ID))
    copied = replace(client._session, options=Options())
    assert copied.clock.offset is not None
    assert copied.clock is client._session.clock


def test_a_writer_of_a_transport_imports_its_types_from_the_package() -> None:
    names = {"Transport", "AsyncTransport", "Socket", "AsyncSocket", "Request", "Response"}
    assert names <= set(orderengine.__all__)


def test_the_key_is_in_no_text() -> None:
    assert "oek_1" not in repr(Session(Options(key="oek_1")))


@pytest.mark.parametrize(
    "failure",
    [
        problem_of(problem(409, "CANCEL_TOO_LATE", **verdict("too_late", "submitted", 4))),
        problem_of(Response(200, {"content-type": "text/html"}, b"<html>")),
        errors.Unreachable("no answer", sent=True),
        errors.DeadlineExceeded("60 s are over", last_seq=3, status="routing"),
        errors.StreamRefused("EXPIRED_CREDENTIAL", "it has ended"),
        errors.FloatAmount("amount", 1.5),
        errors.InvalidArgument("x"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_an_error_can_be_handed_to_another_process(failure: errors.OrderEngineError) -> None:
    for same in (pickle.loads(pickle.dumps(failure)), copy.copy(failure)):  # noqa: S301 - the test wrote it
        assert type(same) is type(failure)
        assert (str(same), vars(same)) == (str(failure), vars(failure))


def test_a_problem_names_every_bad_field() -> None:
    bad = [{"field": "tokenIn", "code": "TOKEN_UNKNOWN", "message": "is no token"}, {"field": "tokenIn"}, 7]
    failure = problem_of(problem(422, "INVALID_ORDER", errors=bad, requestId="r-1", detail="two fields"))
    assert isinstance(failure, errors.Invalid)
    assert failure.fields == {"tokenIn": [("TOKEN_UNKNOWN", "is no token"), ("", "")]}
    assert (failure.request_id, failure.code, failure.status) == ("r-1", "INVALID_ORDER", 422)
    assert str(failure) == "422 INVALID_ORDER: two fields tokenIn: is no token tokenIn: "


def test_a_null_in_a_problem_is_no_text() -> None:
    failure = problem_of(
        problem(422, "INVALID_ORDER", detail=None, title=None, requestId=None, errors=[{"field": None}])
    )
    assert isinstance(failure, errors.Invalid)
    assert (failure.detail, failure.title, failure.request_id, failure.fields) == ("", "", "", {"": [("", "")]})


@pytest.mark.parametrize("odd", [{"errors": {}}, {"verdict": {"seq": "1"}}, {"verdict": 1}, {"retryAfter": "x"}])
def test_a_problem_of_another_version_is_still_a_problem(odd: dict[str, Any]) -> None:
    failure = problem_of(problem(409, "NOT_AMENDABLE", **odd))
    assert isinstance(failure, errors.NotAmendable)
    assert failure.verdict is None


def test_any_request_can_be_sent_and_any_answer_is_returned(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(answer(418, {"price": 0.1})), key="k")
    body = {"limit": Decimal("0.10")}
    found = shell(client.request("PUT", "/x", query={"a": "1"}, body=body, headers={"If-Match": "*"}))
    [request] = script.requests
    assert (found.status, found.json()) == (418, {"price": Decimal("0.1")})
    assert (request.method, request.query, request.body) == ("PUT", (("a", "1"),), b'{"limit":"0.10"}')
    assert request.headers == {"authorization": "Bearer k", "content-type": "application/json", "if-match": "*"}


@pytest.mark.parametrize("sent", [True, False])
def test_the_escape_hatch_repeats_nothing_and_tells_whether_it_was_sent(
    shell: Shell, script: Script, sent: bool
) -> None:
    with pytest.raises(errors.Unreachable) as caught:
        shell(shell.client(script.then(lost(sent=sent))).request("POST", "/orders", body=b"{}"))
    assert len(script.requests) == 1
    assert caught.value.sent is sent


@pytest.mark.parametrize(
    "call",
    [
        {"path": "api/orders"},
        {"path": "@evil.example/"},
        {"path": ""},
        {"path": "/a b"},
        {"path": "/a\n"},
        {"headers": {"x": "a\r\nb: c"}},
        {"headers": {"x y": "a"}},
        {"headers": {"x": "é"}},
        {"body": {1.5, 2}},
        {"body": float("nan")},
        {"query": {"a": "\ud800"}},
    ],
)
def test_a_request_that_could_not_be_sent_is_refused(shell: Shell, script: Script, call: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidArgument):
        shell(shell.client(script).request("POST", **{"path": "/x", **call}))
    assert not script.requests


def test_a_slow_answer_or_one_from_a_cache_does_not_move_the_clock() -> None:
    clock = ServerClock()
    clock.note(START, START + timedelta(seconds=20), START + timedelta(seconds=20))
    assert clock.offset == timedelta()
    clock.note(START, START + timedelta(seconds=1), START + timedelta(hours=1))
    assert clock.offset == timedelta(hours=1) - timedelta(seconds=1)
    clock.note(START, START + timedelta(seconds=20), START + timedelta(hours=1, seconds=15))
    assert clock.offset == timedelta(hours=1) - timedelta(seconds=1)
    assert server_time(answer(200, record(), date=START, headers={"age": "30"})) is None
    assert server_time(answer(200, record(), date=START)) == START


def test_the_id_of_an_order_is_in_the_path(shell: Shell, script: Script) -> None:
    shell(shell.client(script.then(answer(200, record()))).order(ORDER_ID, at_seq=2))
    assert (script.requests[0].path, script.requests[0].query) == (f"/api/orders/{ORDER_ID}", (("atSeq", "2"),))
