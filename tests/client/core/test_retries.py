"""Retries: where a repeat is safe and may help, after the pause that the engine asks for, within one deadline."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest

from orderengine import Retry, errors
from orderengine.core.commands import Response
from tests.client.samples import ORDER_ID, event, events, record
from tests.client.scripted import START, Answer, Late, Script, answer, lost, problem
from tests.client.shells import Shell

RECORD = answer(200, record())
JSON = {"content-type": "application/json"}


def test_a_read_is_repeated_until_it_has_an_answer(shell: Shell, script: Script) -> None:
    script.then(lost(), problem(503, "UNAVAILABLE"), problem(500, "INTERNAL_ERROR"), lost(sent=False), RECORD)
    client = shell.client(script)
    assert shell(client.order(ORDER_ID)).id == ORDER_ID
    assert client.counters.retries == 4
    assert all(0 <= pause <= 0.2 * 2**n for n, pause in enumerate(script.sleeps))


@pytest.mark.parametrize("code", ["RATE_LIMITED", "TOO_MANY_REQUESTS", "BACKLOG_FULL"])
def test_the_pause_that_the_engine_asks_for_is_kept(shell: Shell, script: Script, code: str) -> None:
    heard: list[Retry] = []
    script.then(problem(429, code, headers={"retry-after": "3"}), RECORD)
    client = shell.client(script, on_rate_limit=heard.append, key="secret")
    shell(client.order(ORDER_ID))
    assert 3 <= script.sleeps[0] <= 3.2
    [retry] = heard
    assert (retry.attempt, retry.failure.code) == (1, code)  # type: ignore[attr-defined]
    assert "secret" not in repr(retry)
    assert client.counters.rate_limited == 1


@pytest.mark.parametrize("clock_error", [timedelta(0), timedelta(hours=2)])
def test_a_date_to_retry_after_is_read_by_the_clock_of_the_server(
    shell: Shell, script: Script, clock_error: timedelta
) -> None:
    script.clock_error = clock_error
    until = format_datetime(START + timedelta(seconds=5), usegmt=True)
    date = format_datetime(START, usegmt=True)
    script.then(problem(503, "UNAVAILABLE", headers={"retry-after": until, "date": date}), RECORD)
    shell(shell.client(script).order(ORDER_ID))
    assert 5 <= script.sleeps[0] <= 5.2


def test_a_problem_that_lost_its_header_still_says_when_to_retry(shell: Shell, script: Script) -> None:
    script.then(problem(503, "UNAVAILABLE", retryAfter=2), RECORD)
    shell(shell.client(script).order(ORDER_ID))
    assert 2 <= script.sleeps[0] <= 2.2


@pytest.mark.parametrize("text", ["soon", "-1", "1e9", "", "٣", "Thu, 99 Nov 2026 00:00:00 GMT"])
def test_a_pause_that_cannot_be_read_is_none(shell: Shell, script: Script, text: str) -> None:
    failure = problem(429, "RATE_LIMITED", headers={"retry-after": text})
    with pytest.raises(errors.RateLimited) as caught:
        shell(shell.client(script.then(failure), retries=0).order(ORDER_ID))
    assert caught.value.retry_after is None


@pytest.mark.parametrize("seconds", ["31", "9" * 400])
def test_a_pause_beyond_the_deadline_ends_the_call_at_once(shell: Shell, script: Script, seconds: str) -> None:
    script.then(problem(429, "RATE_LIMITED", headers={"retry-after": seconds}))
    with pytest.raises(errors.RateLimited) as caught:
        shell(shell.client(script).order(ORDER_ID))
    assert caught.value.retry_after == float(seconds)
    assert script.sleeps == []


def test_a_server_that_is_mute_holds_a_call_no_longer_than_its_timeout(shell: Shell, script: Script) -> None:
    script.forever = Late(3600, RECORD)
    with pytest.raises(errors.Unreachable):
        shell(shell.client(script, timeout=25, retries=100).order(ORDER_ID))
    assert script.clock - 1000 <= 25.1


@pytest.mark.parametrize("bodies", [problem, lambda status, _code: Response(status, {}, b"")])
@pytest.mark.parametrize("status", [408, 425])
def test_a_request_that_the_server_did_not_take_is_sent_again(
    shell: Shell, script: Script, status: int, bodies: Callable[[int, str], Response]
) -> None:
    script.then(bodies(status, "A_CODE_TO_COME"), RECORD)
    assert shell(shell.client(script).order(ORDER_ID)).seq == 2


@pytest.mark.parametrize("first", [lost(), problem(500, "INTERNAL_ERROR"), Response(200, JSON, b"{")])
def test_a_price_that_may_have_arrived_is_not_told_again(shell: Shell, script: Script, first: Answer) -> None:
    script.then(first)
    with pytest.raises(errors.OrderEngineError):
        shell(shell.client(script).tell_price("SOL/USDC", "150"))
    assert len(script.requests) == 1


@pytest.mark.parametrize("first", [lost(sent=False), problem(429, "RATE_LIMITED")])
def test_a_price_that_has_not_arrived_is_told_again(shell: Shell, script: Script, first: Answer) -> None:
    script.then(first, answer(200, {"accepted": True, "triggered": 0}))
    assert shell(shell.client(script).tell_price("SOL/USDC", "150")).accepted


def test_an_earlier_attempt_that_was_sent_is_told_by_the_last_failure(shell: Shell, script: Script) -> None:
    script.then(lost(), lost(sent=False))
    with pytest.raises(errors.Unreachable) as caught:
        shell(shell.client(script, retries=1).order(ORDER_ID))
    assert caught.value.sent


def test_a_long_poll_gets_the_time_that_it_waits(shell: Shell, script: Script) -> None:
    script.then(Late(20, answer(200, events(event(3)))))
    [update] = shell(shell.client(script, try_timeout=5).events(ORDER_ID, after=2, wait=20))
    assert (update.seq, update.order_id) == (3, ORDER_ID)
    assert script.requests[0].query == (("afterSeq", "2"), ("wait", "20"))


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (problem(400, "MALFORMED_ID"), errors.Invalid),
        (problem(401, "MISSING_CREDENTIAL"), errors.Unauthenticated),
        (problem(403, "MISSING_SCOPE"), errors.Forbidden),
        (problem(404, "ORDER_NOT_FOUND"), errors.NotFound),
        (problem(418, "A_CODE_TO_COME"), errors.ProblemError),
        (problem(422, "A_CODE_TO_COME"), errors.Invalid),
        (problem(429, "TOO_MANY_WAITS"), errors.RateLimited),
    ],
)
def test_an_answer_that_a_repeat_would_not_change_is_not_repeated(
    shell: Shell, script: Script, failure: Response, kind: type[errors.ProblemError]
) -> None:
    with pytest.raises(kind) as caught:
        shell(shell.client(script.then(failure)).order(ORDER_ID))
    assert type(caught.value) is kind
    assert caught.value.status == failure.status


HTML = {"content-type": "text/html"}


@pytest.mark.parametrize(
    "page",
    [
        Response(200, HTML, b"<!doctype html><title>Sign in to the wifi</title>"),
        Response(404, HTML, b"<html>nothing here"),
        Response(301, {**HTML, "location": "https://elsewhere.example/"}, b"<html>moved"),
        Response(403, {}, b""),
        Response(200, {"content-type": "image/png"}, b"\x89PNG\xff"),
    ],
)
def test_another_service_is_recognized_at_once(shell: Shell, script: Script, page: Response) -> None:
    with pytest.raises(errors.NotTheEngine) as caught:
        shell(shell.client(script.then(page)).order(ORDER_ID))
    assert caught.value.status == page.status
    assert caught.value.text == page.text
    assert page.headers.get("location", "") in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"orderId"', b"[]", b"null", b"1e99999999999999999999", b"NaN", b"\xff"]
)
def test_half_an_answer_is_asked_for_again(shell: Shell, script: Script, body: bytes) -> None:
    script.then(Response(200, {"content-type": "application/json"}, body), RECORD)
    assert shell(shell.client(script).order(ORDER_ID)).seq == 2


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_without_a_problem_document_is_tried_again(shell: Shell, script: Script, status: int) -> None:
    script.then(Response(status, HTML, b"<html>busy"), RECORD)
    assert shell(shell.client(script).order(ORDER_ID)).seq == 2


def test_a_failure_of_a_hook_ends_the_call(shell: Shell, script: Script) -> None:
    def on_retry(_retry: Retry) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        shell(shell.client(script.then(lost()), on_retry=on_retry).order(ORDER_ID))


def test_an_unwell_engine_still_tells_its_health(shell: Shell, script: Script) -> None:
    body = {"status": "down", "version": "1", "dependencies": {"orders": "down"}, "history": None}
    assert shell(shell.client(script.then(answer(503, body))).health()).status == "down"
    with pytest.raises(errors.Unavailable):
        shell(shell.client(script.then(problem(503, "UNAVAILABLE")), retries=0).health())
