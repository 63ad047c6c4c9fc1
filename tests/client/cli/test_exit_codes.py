"""Each kind of failure has its exit code, and its problem on stderr."""

import json

import pytest
from click.testing import CliRunner

from orderengine import Client, errors
from orderengine.cli.root import oe
from orderengine.core.commands import Unreachable
from tests.client.cli.conftest import Run
from tests.client.cli.fake_engine import ORDER, FakeEngine, problem

GET = ("GET", f"/api/orders/{ORDER}")


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "MALFORMED_ID", 2),
        (401, "CREDENTIAL_MISSING", 2),
        (403, "FORBIDDEN", 2),
        (404, "ORDER_NOT_FOUND", 4),
        (409, "CANCEL_TOO_LATE", 5),
        (412, "ORDER_MOVED_ON", 5),
        (413, "TOO_LARGE", 2),
        (415, "MEDIA_TYPE", 2),
        (422, "INVALID_ORDER", 2),
        (429, "RATE_LIMITED", 3),
        (418, "TEAPOT", 2),
        (500, "INTERNAL", 3),
        (507, "STORAGE", 3),
        (503, "UNAVAILABLE", 3),
    ],
)
def test_a_problem_has_an_exit_code(run: Run, engine: FakeEngine, status: int, code: str, exit_code: int) -> None:
    engine.on(*GET, problem(status, code))
    result = run("get", ORDER)
    assert result.exit_code == exit_code
    assert result.stdout == ""
    told = json.loads(result.stderr)
    assert (told["code"], told["status"], told["exitCode"]) == (code, status, exit_code)


def test_a_busy_engine_says_when_to_try_again(run: Run, engine: FakeEngine) -> None:
    engine.on(*GET, problem(429, "BACKLOG_FULL"), headers={"retry-after": "120"})
    assert json.loads(run("get", ORDER).stderr)["retryAfter"] == 120
    assert "Try again in 120 s." in run("get", ORDER, "--table").stderr


def test_an_engine_that_is_not_there_is_for_later(run: Run, engine: FakeEngine) -> None:
    engine.on(*GET, Unreachable("Connection refused", sent=False))
    result = run("get", ORDER)
    assert result.exit_code == 3
    assert json.loads(result.stderr)["code"] == "UNREACHABLE"


@pytest.mark.parametrize(("status", "exit_code"), [(200, 2), (404, 2), (502, 3)])
def test_html_is_a_wrong_address_or_a_busy_gateway(run: Run, engine: FakeEngine, status: int, exit_code: int) -> None:
    engine.on(*GET, (status, "<html>"), headers={"content-type": "text/html"})
    assert run("get", ORDER).exit_code == exit_code


def test_half_an_answer_is_for_later(run: Run, engine: FakeEngine) -> None:
    engine.on(*GET, (200, '{"orderId": "44'))
    assert run("get", ORDER).exit_code == 3


def test_every_bad_field_is_named_in_a_sentence(run: Run, engine: FakeEngine) -> None:
    fields = [
        {"field": "tokenIn", "code": "TOKEN_UNKNOWN", "message": "is no token"},
        {"field": "slippage", "code": "SLIPPAGE_RANGE", "message": "must be 0 to 50"},
    ]
    engine.on("POST", "/api/orders/execute", problem(422, "INVALID_ORDER", errors=fields))
    lines = run("sell", "1", "X", "Y", "--table").stderr.splitlines()
    assert "  tokenIn: is no token (TOKEN_UNKNOWN)" in lines
    assert "  slippage: must be 0 to 50 (SLIPPAGE_RANGE)" in lines
    assert "hint: 'oe tokens' lists the tokens that can be traded" in lines


def test_a_verdict_says_what_the_order_had_become(run: Run, engine: FakeEngine) -> None:
    verdict = {"outcome": "too_late", "status": "submitted", "seq": 5}
    engine.on("DELETE", f"/api/orders/{ORDER}", problem(409, "CANCEL_TOO_LATE", verdict=verdict))
    result = run("cancel", ORDER, "--table")
    assert result.exit_code == 5
    assert "The order is submitted since event 5." in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["sell"], ["nonsense"], ["cancel"], ["cancel", "x", "--all"], ["amend", "x"], ["get", "x", "--bad"], ["--bad"]],
)
def test_usage_that_is_wrong_ends_with_2_and_json_in_a_pipe(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert json.loads(result.stderr)["code"] == "USAGE"


def test_a_bug_is_one_line_and_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("oh no")

    monkeypatch.setattr(Client, "order", broken)
    result = run("get", ORDER, "--table")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "OE_DEBUG=1" in result.stderr
    monkeypatch.setenv("OE_DEBUG", "1")
    assert "Traceback" in run("get", ORDER, "--table").stderr


def test_a_gateway_without_a_problem_document_is_told_by_its_status(run: Run, engine: FakeEngine) -> None:
    engine.on(*GET, (502, ""))
    told = json.loads(run("get", ORDER).stderr)
    assert (told["status"], told["code"], told["exitCode"]) == (502, "UNAVAILABLE", 3)
    assert "oe: 502: a gateway or proxy answered without saying why\n" in run("get", ORDER, "--table").stderr


@pytest.mark.parametrize(
    ("words", "change", "look"),
    [
        (["cancel", ORDER], ("DELETE", f"/api/orders/{ORDER}"), f"oe get {ORDER} --user b"),
        (["amend", ORDER, "--limit", "5"], ("PATCH", f"/api/orders/{ORDER}"), f"oe get {ORDER} --user b"),
        (["cancel", "--all"], ("DELETE", "/api/orders"), "oe ls --status open --user b"),
        (
            ["tell", "price", "SOL/USDC", "5"],
            ("POST", "/api/market/events"),
            "oe tell price SOL/USDC 5 --user b",
        ),
        (
            ["tell", "pool", "M", "--venue", "raydium", "--price", "1", "--liquidity", "5"],
            ("POST", "/api/market/events"),
            "oe tell pool M --venue raydium --price 1 --liquidity 5 --user b",
        ),
    ],
)
@pytest.mark.parametrize("sent", [True, False])
def test_a_change_without_an_answer_may_have_happened_unless_it_was_not_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], change: tuple[str, str], look: str, sent: bool
) -> None:
    def unanswered(*_: object, **__: object) -> None:
        error = errors.Unreachable("no answer")
        error.sent = sent  # type: ignore[attr-defined, unused-ignore]
        raise error

    for name in ("cancel", "amend", "cancel_all", "tell_price", "tell_pool"):
        monkeypatch.setattr(Client, name, unanswered)
    result = run(*words, "--user", "b")
    told = json.loads(result.stderr)
    assert result.exit_code == (6 if sent else 3)
    assert (told.get("command") == look) is sent
    assert ("may have happened" in told["detail"]) is sent


@pytest.mark.parametrize(
    "words",
    [
        ["sell", "1", "SOL", "USDC", "--idempotency-key", ""],
        ["sell", "1", "SOL", "USDC", "--id="],
        ["sell", "1", "SOL", "USDC", "--user", " "],
        ["sell", "1", "SOL", ""],
        ["get", ""],
        ["--url", "", "ls"],
        ["ls", "--key-file", ""],
        ["listen", "--forward-to", "http://x", "--cursor", ""],
        ["tell", "price", "", "5"],
    ],
)
def test_an_empty_value_is_refused_before_anything_is_sent(run: Run, engine: FakeEngine, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "it is empty" in json.loads(result.stderr)["detail"]
    assert engine.requests == []


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["sell", "-1", "SOL", "USDC"], "-1"),
        (["buy", "SOL", "-.5", "USDC"], "-.5"),
        (["tell", "price", "SOL/USDC", "-250"], "-250"),
    ],
)
def test_a_number_below_0_is_an_amount_and_not_an_option(run: Run, words: list[str], number: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert json.loads(result.stderr)["detail"] == f"{number} is no amount or price: it must be above 0"


def test_an_argument_is_named_as_on_the_command_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    detail = json.loads(run("sell", "1", "SOL", "USDC", "--idempotency-key", "ä").stderr)["detail"]
    assert detail.startswith("--idempotency-key is 'ä'")
    address = CliRunner().invoke(oe, ["--url", "nonsense", "ls"], prog_name="oe")
    assert json.loads(address.stderr)["detail"].startswith("--url (or OE_URL) is 'nonsense'")
