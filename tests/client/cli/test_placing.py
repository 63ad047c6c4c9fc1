"""How an order is written, what is sent of it, and how it is repeated safely."""

import json
import shlex

import pytest

from orderengine.core.commands import Unreachable
from tests.client.cli.conftest import Run
from tests.client.cli.fake_engine import ACCEPTED, ORDER, QUOTES, FakeEngine, event, events_body, problem, record

EXECUTE = "/api/orders/execute"
MINT = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"


@pytest.mark.parametrize("words", [["1.5", "SOL", "USDC"], ["1.5", "SOL", "for", "USDC"]])
def test_sell_pays_the_amount_of_the_first_token(run: Run, engine: FakeEngine, words: list[str]) -> None:
    assert run("sell", *words).exit_code == 0
    assert engine.bodies(EXECUTE) == [{"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "side": "sell"}]


@pytest.mark.parametrize("words", [["SOL", "150", "USDC"], ["SOL", "with", "150", "USDC"]])
def test_buy_pays_the_amount_of_the_token_after_it(run: Run, engine: FakeEngine, words: list[str]) -> None:
    assert run("buy", *words).exit_code == 0
    assert engine.bodies(EXECUTE) == [{"tokenIn": "USDC", "tokenOut": "SOL", "amountIn": "150", "side": "buy"}]


def test_buy_with_the_amount_of_what_it_gets_is_refused_before_anything_is_sent(run: Run, engine: FakeEngine) -> None:
    result = run("buy", "2", "SOL", "USDC")
    assert result.exit_code == 2
    assert "AMOUNT is what you pay" in json.loads(result.stderr)["detail"]
    assert engine.requests == []


@pytest.mark.parametrize("amount", ["1,5", "NaN", "1e999999999", "SOL", ""])
def test_an_amount_that_is_no_decimal_number_is_refused(run: Run, engine: FakeEngine, amount: str) -> None:
    assert run("sell", amount, "SOL", "USDC").exit_code == 2
    assert engine.requests == []


def test_snipe_waits_for_the_launch_of_its_mint(run: Run, engine: FakeEngine) -> None:
    assert run("snipe", MINT, "1", "SOL", "--min-liquidity", "500", "--venue", "raydium").exit_code == 0
    [body] = engine.bodies(EXECUTE)
    assert (body["type"], body["tokenIn"], body["tokenOut"]) == ("sniper", "SOL", MINT)
    assert body["launch"] == {"mint": MINT, "venue": "raydium", "minLiquidity": "500"}


def test_every_option_of_an_order_is_sent(run: Run, engine: FakeEngine) -> None:
    options = "--limit 300 --slippage 0.5% --ioc --priority high --id bot/1 --simulate slippage:1 --user b"
    assert run("sell", "1", "SOL", "USDC", *options.split()).exit_code == 0
    [body] = engine.bodies(EXECUTE)
    assert body == {
        "tokenIn": "SOL",
        "tokenOut": "USDC",
        "amountIn": "1",
        "side": "sell",
        "type": "limit",
        "userId": "b",
        "limitPrice": "300",
        "slippage": "0.5",
        "timeInForce": "IOC",
        "priority": "high",
        "clientOrderId": "bot/1",
        "simulate": "slippage:1",
    }


def test_an_expiry_in_an_hour_is_counted_by_the_engines_clock(run: Run, engine: FakeEngine) -> None:
    assert run("sell", "1", "SOL", "USDC", "--limit", "300", "--expires", "1h").exit_code == 0
    assert engine.bodies(EXECUTE)[0]["expiresAt"] == "2026-12-01T13:00:00.000Z"


@pytest.mark.parametrize("expiry", ["soon", "2026-12-01T12:00:00", "1x"])
def test_an_expiry_that_names_no_moment_is_refused(run: Run, engine: FakeEngine, expiry: str) -> None:
    assert run("sell", "1", "SOL", "USDC", "--limit", "300", "--expires", expiry).exit_code == 2
    assert engine.requests == []


def test_a_dry_run_places_nothing(run: Run, engine: FakeEngine) -> None:
    text = (
        f'{{{QUOTES},"side":"sell","amountIn":1,"amountInBase":"1","amountOut":1.50,"amountOutBase":"1","minAmountOut":1,'
        '"minAmountOutBase":"1","warnings":[{"code":"W","message":"thin"}],"summary":"Swap it."}'
    )
    engine.on("POST", "/api/orders/preview", text)
    result = run("sell", "1", "SOL", "USDC", "--dry-run", "--table")
    assert result.exit_code == 0
    assert "Swap it." in result.stdout
    assert "thin" in result.stdout
    assert [one.path for one in engine.requests] == ["/api/orders/preview"]


def test_the_answer_of_an_accepted_order_is_printed_as_it_came(run: Run) -> None:
    assert json.loads(run("sell", "1", "SOL", "USDC").stdout) == json.loads(ACCEPTED)


def test_people_see_the_idempotency_key_before_the_order_is_sent(run: Run, engine: FakeEngine) -> None:
    engine.on("POST", EXECUTE, Unreachable("refused", sent=False))
    result = run("sell", "1", "SOL", "USDC", "--table", "--idempotency-key", "k1")
    assert result.stderr.splitlines()[0] == "idempotency key k1"


@pytest.mark.parametrize(
    ("status", "phase", "code"),
    [
        ("confirmed", "completed", 0),
        ("failed", "failed", 10),
        ("cancelled", "cancelled", 11),
        ("expired", "expired", 12),
    ],
)
@pytest.mark.parametrize("mode", ["--wait", "--watch"])
def test_waiting_ends_with_the_exit_code_of_the_outcome(
    run: Run, engine: FakeEngine, status: str, phase: str, code: int, mode: str
) -> None:
    engine.on("GET", f"/api/orders/{ORDER}/events", events_body(event(1, status, phase)))
    engine.on("GET", f"/api/orders/{ORDER}", record(phase, status))
    result = run("sell", "1", "SOL", "USDC", mode)
    assert result.exit_code == code
    assert json.loads(result.stdout)["status"] == status


def test_an_unknown_outcome_prints_the_command_that_repeats_exactly_this_order(run: Run, engine: FakeEngine) -> None:
    engine.on("POST", EXECUTE, Unreachable("the answer was lost", sent=True))
    arguments = ["sell", "1", "SOL", "USDC", "--limit", "300", "--expires", "1h", "--id", "it's 1", "--user", "b"]
    result = run(*arguments)
    assert result.exit_code == 6
    told = json.loads(result.stderr)
    assert told["code"] == "OUTCOME_UNKNOWN"
    first = engine.requests[-1]

    program, *words = shlex.split(told["command"])
    engine.on("POST", EXECUTE, (202, ACCEPTED))
    assert program == "oe"
    assert run(*words).exit_code == 0
    again = engine.requests[-1]
    assert (again.body, again.headers["idempotency-key"]) == (first.body, told["idempotencyKey"])


def test_the_command_to_repeat_an_order_never_shows_the_key_of_the_user(run: Run, engine: FakeEngine) -> None:
    engine.on("POST", EXECUTE, Unreachable("the answer was lost", sent=True))
    result = run("sell", "1", "SOL", "USDC", "--key", "oee_secret")
    assert result.exit_code == 6
    assert "oee_secret" not in result.output


def test_the_key_comes_from_a_file(run: Run, engine: FakeEngine, tmp_path: object) -> None:
    file = f"{tmp_path}/key"
    with open(file, "w") as written:
        written.write("oee_secret\n")
    assert run("sell", "1", "SOL", "USDC", "--key-file", file).exit_code == 0
    assert engine.requests[-1].headers["authorization"] == "Bearer oee_secret"
    assert run("sell", "1", "SOL", "USDC", "--key-file", f"{tmp_path}/none").exit_code == 2


def test_a_word_that_contradicts_the_pair_names_the_other_command(run: Run, engine: FakeEngine) -> None:
    errors = [{"field": "side", "code": "SIDE_CONTRADICTS", "message": "paying with USDC is a buy"}]
    engine.on("POST", EXECUTE, problem(422, "INVALID_ORDER", errors=errors))
    result = run("sell", "1", "USDC", "SOL", "--table")
    assert result.exit_code == 2
    assert "side: paying with USDC is a buy" in result.stderr
    assert "'oe buy TOKEN AMOUNT TOKEN'" in result.stderr
