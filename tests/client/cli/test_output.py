"""Results: every digit for programs, nothing that a terminal obeys for people."""

import json
from decimal import Decimal
from typing import Any

import pytest

from orderengine.cli.exact_text import json_text, plain
from orderengine.core.exact_json import loads
from tests.client.cli.conftest import Run
from tests.client.cli.fake_engine import LIFE, ORDER, QUOTES, FakeEngine, problem, record

AT = "2026-12-01T12:00:00.000Z"
STATE: dict[str, Any] = {
    "at": AT,
    "slots": {
        "limit": 10,
        "busy": [
            {
                "orderId": ORDER,
                "userId": "bot-1",
                "type": "market",
                "side": "sell",
                "tokenIn": "SOL",
                "tokenOut": "USDC",
                "amountIn": Decimal("1.5"),
                "status": "building",
                "attempt": 1,
                "since": AT,
                "leaseUntil": AT,
            }
        ],
    },
    "waiting": {
        "normal": 3,
        "high": 0,
        "retrying": 0,
        "rateLimited": 0,
        "nextStartAt": None,
        "open": {"limit": 2, "sniper": 1},
    },
    "rateLimit": {"perMinute": 100, "startedLastMinute": 7},
    "deadLetters": {"deadLetters": 0, "unprocessable": 0},
    "queues": None,
    "history": {"behind": 0, "since": None},
    "sockets": {"open": 4, "limitReached": False},
    "doctor": None,
    "outages": {"queues": "UNAVAILABLE"},
}


@pytest.mark.parametrize(
    "text",
    ["0.00000001", "101.56454600000000000000001", "1.50", "-0.0042", "[1,{}]", '{"a":[],"b":{"c":null,"d":true}}'],
)
def test_json_is_written_with_the_digits_that_were_read(text: str) -> None:
    assert json_text(loads(text)) == text
    assert loads(json_text(loads(text), indent=2)) == loads(text)


def test_a_terminal_gets_no_control_characters() -> None:
    assert "\x1b" not in plain("a\x1b[2Jb\r\n\x9b")
    assert plain(Decimal("1E-8")) == "0.00000001"


def test_a_record_in_a_pipe_is_one_line_of_json_with_every_digit(run: Run) -> None:
    result = run("get", ORDER)
    assert "101.56454600000000000000001" in result.stdout
    assert result.stdout.count("\n") == 1
    assert loads(result.stdout) == loads(record())


def test_a_record_for_people_has_the_same_digits(run: Run) -> None:
    assert "101.56454600000000000000001" in run("get", ORDER, "--table").stdout


def test_a_name_from_elsewhere_cannot_move_the_cursor(run: Run, engine: FakeEngine) -> None:
    engine.on("GET", f"/api/orders/{ORDER}", record(clientOrderId="\x1b[2J[red]x[/red]"))
    shown = run("get", ORDER, "--table").stdout
    assert "\x1b" not in shown
    assert "[red]x[/red]" in shown


def test_a_problem_from_elsewhere_cannot_move_the_cursor(run: Run, engine: FakeEngine) -> None:
    engine.on("GET", f"/api/orders/{ORDER}", problem(404, "ORDER_NOT_FOUND", detail="\x1b[2Jgone"))
    assert "\x1b[2J" not in run("get", ORDER, "--table").stderr


def test_events_are_one_json_frame_a_line(run: Run) -> None:
    lines = [json.loads(line) for line in run("events", ORDER).stdout.splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert {(line["type"], line["orderId"]) for line in lines} == {("ORDER_UPDATE", ORDER)}


def test_a_table_of_events_shows_both_quotes_and_the_choice(run: Run) -> None:
    shown = " ".join(run("events", ORDER, "--table").stdout.split())
    assert "raydium 98.1390186667" in shown
    assert "meteora 101.56024800000000000001 ✔" in shown


def test_a_list_is_one_order_a_line_through_all_pages(run: Run, engine: FakeEngine) -> None:
    pages = [f'{{"orders":[{record()}],"nextCursor":"c"}}', f'{{"orders":[{record()}],"nextCursor":null}}']
    engine.on("GET", "/api/orders", *pages)
    result = run("ls", "--all", "--status", "confirmed", "--since", "1d", "--user", "b")
    assert [loads(line) for line in result.stdout.splitlines()] == [loads(record())] * 2
    query = dict(engine.requests[1].query)
    assert (query["status"], query["userId"]) == ("confirmed", "b")
    assert query["from"] == "2026-11-30T12:00:00.000Z", "by the engine's clock"


def test_a_list_says_that_there_are_more_orders_than_it_shows(run: Run, engine: FakeEngine) -> None:
    engine.on("GET", "/api/orders", f'{{"orders":[{record()},{record()}],"nextCursor":null}}')
    result = run("ls", "--limit", "1", "--table")
    assert result.stdout.count(ORDER) == 1
    assert "more than 1" in result.stderr


def test_statistics_since_a_week_ago_are_counted_by_the_engines_clock(run: Run, engine: FakeEngine) -> None:
    run("stats", "--since", "7d")
    assert dict(engine.requests[-1].query)["from"] == "2026-11-24T12:00:00.000Z"


def test_the_state_of_the_engine_is_told_in_lines_with_its_busy_slots(
    run: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    engine.on("GET", "/api/engine", json_text(STATE))
    assert loads(run("engine").stdout) == STATE
    shown = run("engine", "--table").stdout
    for line in (
        "slots                1 of 10 busy",
        "waiting normal       3",
        "rateLimit            perMinute 100   startedLastMinute 7",
        "outages              queues UNAVAILABLE",
        "has not run yet: make doctor",
    ):
        assert line in shown
    assert ORDER in shown
    assert "market sell 1.5 SOL → USDC" in shown


def test_the_doctors_findings_are_told_with_its_verdict(run: Run, engine: FakeEngine) -> None:
    doctor = {"at": AT, "status": "violations", "orders": 3, "violations": 1, "findings": ["I4 one: a gap"]}
    engine.on("GET", "/api/engine", json_text({**STATE, "doctor": doctor}))
    shown = run("engine", "--table").stdout
    assert "status violations   orders 3   violations 1" in shown
    assert "I4 one: a gap" in shown


@pytest.mark.parametrize("columns", [40, 50, 59])
def test_a_list_on_a_narrow_terminal_is_one_line_an_order_with_its_whole_id(
    run: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    engine.on("GET", "/api/orders", f'{{"orders":[{record()},{record()}],"nextCursor":null}}')
    lines = run("ls", "--table").stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(ORDER) and len(line) <= columns for line in lines)


def test_hashes_and_commands_are_never_broken(run: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    engine.on("GET", f"/api/orders/{ORDER}", record(txHash="h" * 88, failCode="X", failReason="word " * 20))
    shown = run("get", ORDER, "--table").stdout
    assert "h" * 88 in shown
    assert max(len(line) for line in shown.splitlines() if "word" in line) <= 40
    assert f"oe watch {ORDER}\n" in run("sell", "1", "SOL", "USDC", "--table").stdout


def test_quotes_are_shown_side_by_side(run: Run, engine: FakeEngine) -> None:
    engine.on("GET", "/api/quotes", f"{{{QUOTES}}}")
    assert loads(run("quote", "1.5", "SOL", "for", "USDC").stdout) == loads(f"{{{QUOTES}}}")
    shown = run("quote", "1.5", "SOL", "USDC", "--table").stdout
    assert "✔  meteora" in shown
    assert "147.208528" in shown


def test_global_options_work_before_and_after_the_command(run: Run, engine: FakeEngine) -> None:
    run("--user", "a", "--key", "k1", "sell", "1", "SOL", "USDC")
    run("sell", "1", "SOL", "USDC", "--user", "a", "--key", "k1")
    first, second = engine.bodies("/api/orders/execute")
    assert first == second
    assert first["userId"] == "a"
    assert run("--table", "get", ORDER).stdout == run("get", ORDER, "--table").stdout


def test_oe_alone_shows_what_to_try_first(run: Run) -> None:
    shown = run().stdout
    assert "oe quote 1.5 SOL USDC" in shown
    assert "oe sell 1.5 SOL USDC --watch" in shown
    assert "oe ls" in shown


def test_every_command_has_help_that_ends_with_an_example(run: Run) -> None:
    listed = run("--help").stdout
    for name in listed.split("Commands:")[1].split("Examples:")[0].strip().splitlines():
        command = name.split()[0]
        if command != "tell":
            assert "Examples:\n" in run(command, "-h").stdout
    assert "Examples:\n  oe tell price SOL/USDC 250" in run("tell", "price", "--help").stdout


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").stdout.startswith("oe ")


def test_the_frames_of_a_life_are_the_engines(run: Run) -> None:
    lines = run("watch", ORDER).stdout.splitlines()
    for line, text in zip(lines, LIFE, strict=True):
        assert loads(line) == {"type": "ORDER_UPDATE", "orderId": ORDER, "userId": "b", **loads(text)}
