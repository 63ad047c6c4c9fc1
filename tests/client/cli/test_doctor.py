"""``oe doctor``: each check tells what it saw and what to do."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orderengine.cli.doctoring.contract import READ_BY, differences
from orderengine.core.commands import HandshakeRefused, Response, SocketClosed, Unreachable
from tests.client.cli.conftest import Run
from tests.client.cli.fake_engine import JSON, NOW, ORDER, FakeEngine, events_body, problem, record

CONTRACT = json.loads((Path(__file__).parents[3] / "chalicelib" / "contract" / "openapi.json").read_text())
HEALTH: dict[str, Any] = {"status": "ok", "version": "0.2.0", "dependencies": {"sqs": "ok"}, "history": None}
NOBODY = "/api/orders/00000000-0000-0000-0000-000000000000"


class ScriptedSocket:
    """Answers a ping with a pong and a subscription with ``live``, unless it is mute."""

    def __init__(self, is_mute: bool = False, closes: bool = False) -> None:
        self._frames: list[str] = []
        self._is_mute = is_mute
        self._closes = closes

    def write(self, text: str) -> None:
        kind = {"ping": "pong", "subscribe": "live"}[json.loads(text)["action"]]
        self._frames += ['{"type":"ack"}', json.dumps({"type": kind})]

    def receive(self, timeout: float) -> str | None:
        if self._closes:
            raise SocketClosed(1006, "cut")
        return None if self._is_mute else self._frames.pop(0)

    def close(self) -> None:
        """Closed."""


class WellEngine(FakeEngine):
    socket: ScriptedSocket | Exception = ScriptedSocket()

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> ScriptedSocket:
        if isinstance(self.socket, Exception):
            raise self.socket
        return self.socket

    def monotonic(self) -> float:
        self.slept += 1.0
        return self.slept


@pytest.fixture
def engine() -> WellEngine:
    found = WellEngine()
    found.socket = ScriptedSocket()
    found.on("GET", "/health", json.dumps(HEALTH))
    found.on("GET", "/openapi.json", json.dumps(CONTRACT))
    found.on("GET", "/api/orders", f'{{"orders":[{record()}],"nextCursor":null}}')
    found.on("GET", f"/api/orders/{ORDER}/events", events_body())
    found.on("DELETE", NOBODY, problem(404, "ORDER_NOT_FOUND"))
    found.on("POST", "/api/market/events", problem(422, "INVALID_EVENT"))
    found.on("HEAD", "/api/tokens", "")
    return found


def checks(run: Run, *arguments: str) -> dict[str, dict[str, str]]:
    result = run("doctor", *arguments)
    found = {one["check"]: one for one in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == any(one["state"] == "fail" for one in found.values())
    return found


def test_an_engine_that_is_well_passes_every_check(run: Run) -> None:
    found = checks(run)
    assert {name: one["state"] for name, one in found.items()} == {
        **dict.fromkeys(("address", "proxy", "engine", "clock", "contract", "credential"), "ok"),
        **dict.fromkeys(("socket", "ping", "live", "long poll", "round trip"), "ok"),
        "certificate": "skip",
    }


def test_people_get_a_line_for_each_check_and_what_to_do(run: Run, engine: WellEngine) -> None:
    engine.socket = ScriptedSocket(is_mute=True)
    lines = run("doctor", "--table").stdout.splitlines()
    assert any(line.startswith("ok   engine") for line in lines)
    mute = next(place for place, line in enumerate(lines) if line.startswith("fail ping"))
    assert lines[mute + 1].strip().startswith("the socket is mute")


def test_no_engine_ends_the_checks_with_the_reason(run: Run, engine: WellEngine) -> None:
    engine.on("GET", "/health", Unreachable("Connection refused", sent=False))
    found = checks(run)
    assert list(found) == ["address", "proxy", "engine"]
    assert "--url or OE_URL" in found["engine"]["advice"]


def test_another_service_is_no_engine(run: Run, engine: WellEngine) -> None:
    engine.on("GET", "/health", (200, "<html>Welcome</html>"))
    assert checks(run)["engine"]["state"] == "fail"


def test_an_engine_that_is_ill_names_the_dependency(run: Run, engine: WellEngine) -> None:
    ill = {**HEALTH, "status": "degraded", "dependencies": {"sqs": "ok", "postgres": "down"}}
    engine.on("GET", "/health", (503, json.dumps(ill)))
    assert "postgres down" in checks(run)["engine"]["detail"]


@pytest.mark.parametrize(("seconds", "word"), [(3600, "ahead of"), (-3600, "behind")])
def test_a_wrong_clock_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, seconds: int, word: str) -> None:
    def now(_: FakeEngine) -> datetime:
        return NOW + timedelta(seconds=seconds)

    monkeypatch.setattr(FakeEngine, "now", now)
    assert f"3600 s {word}" in checks(run)["clock"]["detail"]


@pytest.mark.parametrize(
    ("statuses", "has_key", "state", "detail"),
    [
        ((200, 404, 422), False, "ok", "the engine asks for none"),
        ((200, 404, 403), True, "ok", "may read, trade; may not operate"),
        ((200, 403, 403), True, "warn", "may read; may not trade, operate"),
        ((401, 401, 401), True, "fail", "is not accepted"),
        ((401, 401, 401), False, "fail", "none is given"),
        ((403, 403, 403), True, "fail", "may do nothing"),
        ((200, 429, 403), True, "warn", "too busy"),
    ],
)
def test_the_scopes_of_a_credential_are_told(
    run: Run, engine: WellEngine, statuses: tuple[int, int, int], has_key: bool, state: str, detail: str
) -> None:
    calls = (("GET", "/api/orders"), ("DELETE", NOBODY), ("POST", "/api/market/events"))
    for (method, path), status in zip(calls, statuses, strict=True):
        text = '{"orders":[],"nextCursor":null}' if status == 200 else problem(status, "CODE")[1]
        engine.on(method, path, (status, text))
    found = checks(run, *(["--key", "k"] if has_key else []))["credential"]
    assert found["state"] == state
    assert detail in found["detail"]


@pytest.mark.parametrize(
    ("socket", "failed"),
    [
        (ScriptedSocket(is_mute=True), "ping"),
        (ScriptedSocket(closes=True), "ping"),
        (Unreachable("refused", sent=False), "socket"),
        (HandshakeRefused(Response(426, JSON, b"{}")), "socket"),
    ],
)
def test_a_way_that_carries_no_sockets_is_told(
    run: Run, engine: WellEngine, socket: ScriptedSocket | Exception, failed: str
) -> None:
    engine.socket = socket
    found = checks(run)[failed]
    assert found["state"] == "fail"
    assert "long polls" in found["advice"]


def test_a_proxy_is_told_without_its_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://u:secret@proxy:3128")
    result = run("doctor")
    assert "HTTPS_PROXY" in result.stdout
    assert "secret" not in result.stdout


def test_this_client_knows_every_field_of_the_contract() -> None:
    assert differences(CONTRACT["components"]["schemas"]) == ([], [])


def test_fields_that_only_one_side_knows_are_told(run: Run, engine: WellEngine) -> None:
    changed = json.loads(json.dumps(CONTRACT))
    fields = changed["components"]["schemas"]["OrderRecord"]["properties"]
    fields["tip"] = {}
    engine.on("GET", "/openapi.json", json.dumps(changed))
    assert checks(run)["contract"]["state"] == "warn"
    del fields["orderId"]
    engine.on("GET", "/openapi.json", json.dumps(changed))
    found = checks(run)["contract"]
    assert (found["state"], "OrderRecord.orderId" in found["detail"]) == ("fail", True)
    assert set(READ_BY) <= set(CONTRACT["components"]["schemas"])
