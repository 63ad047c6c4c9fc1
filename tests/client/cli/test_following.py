"""Watching, replaying, amending, cancelling, and telling the market."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from orderengine import Client, Update, errors
from orderengine.core.exact_json import loads
from tests.client.cli.conftest import Run
from tests.client.cli.fake_engine import LIFE, ORDER, FakeEngine, event, events_body, problem, record

REPLAY = '"replay":{"matches":true,"checked":38,"unknown":1,"differences":[]}'
EXPLAINED = (
    f'{{"orderId":"{ORDER}","status":"confirmed","phase":"completed","seq":6,"summary":"Confirmed.","story":[],'
    f'"attempts":[],"decision":null,"counterfactuals":[],{REPLAY}}}'
)
DIFFERENCE = (
    '"matches":false,"checked":2,"unknown":0,"differences":[{"seq":3,"field":"price","kept":"1","computed":"2"}]'
)


def test_watching_after_an_event_begins_there(run: Run, engine: FakeEngine) -> None:
    engine.on("GET", f"/api/orders/{ORDER}/events", events_body(*LIFE[3:]))
    result = run("watch", ORDER, "--after", "4")
    assert [json.loads(line)["seq"] for line in result.stdout.splitlines()] == [5, 6]


def test_a_wait_whose_time_is_over_says_how_to_watch_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(self: Client, order_id: str, **_: Any) -> Iterator[Update]:
        yield Update.read(loads(LIFE[0]))
        raise errors.DeadlineExceeded("over")

    monkeypatch.setattr(Client, "watch", late)
    result = run("watch", ORDER, "--timeout", "1", "--user", "b")
    assert result.exit_code == 3
    told = json.loads(result.stderr)
    assert (told["lastSeq"], told["command"]) == (1, f"oe watch {ORDER} --after 1 --user b")


class ScriptedFeed:
    cursor = "c"

    def __iter__(self) -> Iterator[Update]:
        for text in (LIFE[0], LIFE[1], LIFE[2], LIFE[5]):
            yield Update.read({**loads(text)})
        raise KeyboardInterrupt


@pytest.mark.parametrize(("flags", "seqs"), [([], [1, 2, 3, 6]), (["--coarse"], [1, 2, 6])])
def test_all_orders_of_a_user_are_watched_until_an_interrupt(
    run: Run, monkeypatch: pytest.MonkeyPatch, flags: list[str], seqs: list[int]
) -> None:
    @contextmanager
    def follow(self: Client, **place: Any) -> Iterator[ScriptedFeed]:
        assert place["since"] == "2026-12-01T00:00:00.000Z"
        yield ScriptedFeed()

    monkeypatch.setattr(Client, "follow", follow, raising=False)
    result = run("watch", "--user", "b", "--since", "2026-12-01T00:00:00Z", *flags)
    assert [json.loads(line)["seq"] for line in result.stdout.splitlines()] == seqs
    assert result.exit_code == 130
    assert json.loads(result.stderr)["command"] == "oe watch --since 2026-12-01T12:00:00.600Z --user b"


def test_a_replay_ends_with_the_verdict(run: Run, engine: FakeEngine) -> None:
    engine.on("GET", f"/api/orders/{ORDER}/explain", EXPLAINED)
    result = run("replay", ORDER)
    *events, verdict = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["seq"] for one in events] == [1, 2, 3, 4, 5, 6]
    assert (verdict["type"], verdict["matches"], verdict["checked"]) == ("REPLAY", True, 38)
    shown = run("replay", ORDER, "--table", "--speed", "1000")
    assert "38 of 38 values are the same, 1 cannot be computed any more" in shown.stdout
    assert shown.exit_code == 0


def test_a_replay_with_another_value_ends_with_1(run: Run, engine: FakeEngine) -> None:
    text = EXPLAINED.replace(REPLAY, f'"replay":{{{DIFFERENCE}}}')
    engine.on("GET", f"/api/orders/{ORDER}/explain", text)
    result = run("replay", ORDER, "--table", "--speed", "1000")
    assert result.exit_code == 1
    assert "3      price  1     2" in result.stdout


def test_an_explanation_is_told_in_words(run: Run, engine: FakeEngine) -> None:
    engine.on("GET", f"/api/orders/{ORDER}/explain", EXPLAINED)
    assert "Confirmed." in run("explain", ORDER, "--table").stdout
    assert loads(run("explain", ORDER).stdout) == loads(EXPLAINED)


def test_an_amendment_names_the_event_that_it_relies_on(run: Run, engine: FakeEngine) -> None:
    engine.on("PATCH", f"/api/orders/{ORDER}", record("queued", "open"))
    assert run("amend", ORDER, "--limit", "240", "--if-seq", "2").exit_code == 0
    assert engine.bodies(f"/api/orders/{ORDER}") == [{"limitPrice": "240"}]
    assert engine.requests[0].headers["if-match"] == '"2"'


@pytest.mark.parametrize(
    ("expires", "at"), [("2h", "2026-12-01T14:00:00.000Z"), ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00.000Z")]
)
def test_an_amendment_moves_the_expiry(run: Run, engine: FakeEngine, expires: str, at: str) -> None:
    engine.on("GET", "/health", '{"status":"ok","version":"0","dependencies":{},"history":null}')
    engine.on("PATCH", f"/api/orders/{ORDER}", record("queued", "open"))
    assert run("amend", ORDER, "--expires", expires, "--if-seq", "2").exit_code == 0
    assert engine.bodies(f"/api/orders/{ORDER}")[-1] == {"expiresAt": at}


def test_an_order_that_moved_on_ends_with_5(run: Run, engine: FakeEngine) -> None:
    engine.on("PATCH", f"/api/orders/{ORDER}", problem(412, "ORDER_MOVED_ON"))
    assert run("amend", ORDER, "--limit", "240", "--if-seq", "2").exit_code == 5


def test_all_open_orders_are_cancelled(run: Run, engine: FakeEngine) -> None:
    one = {"orderId": ORDER, "outcome": "cancelled", "status": "cancelled", "seq": 3, "phase": "cancelled"}
    pages: list[Mapping[str, Any]] = [
        {"cancelled": [one], "tooLate": [], "more": True},
        {"cancelled": [one], "tooLate": [], "more": False},
    ]
    engine.on("DELETE", "/api/orders", *map(json.dumps, pages))
    result = run("cancel", "--all", "--user", "b")
    assert json.loads(result.stdout) == {"cancelled": [one, one], "tooLate": [], "more": False}


def test_a_price_and_a_pool_are_told_exactly(run: Run, engine: FakeEngine) -> None:
    engine.on("POST", "/api/market/events", (202, '{"accepted":true,"triggered":2,"duplicate":false}'))
    assert "triggered 2 orders" in run("tell", "price", "SOL/USDC", "250.10", "--table").stdout
    assert run("tell", "pool", "M", "--venue", "raydium", "--price", "0.01", "--liquidity", "5").exit_code == 0
    price, pool = engine.bodies("/api/market/events")
    assert price == {"type": "price", "pair": "SOL/USDC", "price": "250.10"}
    assert pool["price"] == "0.01"


def test_a_limit_order_that_expires_ends_a_watch_with_12(run: Run, engine: FakeEngine) -> None:
    end = events_body(event(1, "pending", "queued", 0), event(2, "expired", "expired", 0))
    engine.on("GET", f"/api/orders/{ORDER}/events", end)
    assert run("watch", ORDER).exit_code == 12


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_the_script_that_completes_oe(run: Run, shell: str) -> None:
    script = run("completion", shell)
    assert script.exit_code == 0
    assert "_OE_COMPLETE" in script.stdout


@pytest.mark.parametrize(("command", "extra"), [("sim", "test"), ("mcp", "mcp")])
def test_a_part_that_is_not_installed_names_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str, extra: str
) -> None:
    def absent(name: str) -> None:
        raise ImportError(name=name)

    monkeypatch.setattr("orderengine.cli.serving.import_module", absent)
    result = run(command)
    assert result.exit_code == 2
    assert f"pip install 'orderengine[{extra}]'" in json.loads(result.stderr)["detail"]
