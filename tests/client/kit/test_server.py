"""The engine on a port, for clients in other languages."""

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any

import pytest
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from infra.project import ROOT
from orderengine.cli.root import oe
from orderengine.cli.settings import Settings
from orderengine.testing import server
from orderengine.testing.handle import VirtualEngine
from orderengine.testing.server import listen, serve_forever
from tests.support.kit import ORDER

_PATIENCE = 20
_SERVE = """
import sys
from orderengine.testing.server import VirtualEngine, listen, serve_forever
engine = VirtualEngine("x", real_time=True)
serve_forever(engine, listen("127.0.0.1", 0), lambda url: print(url, flush=True))
"""


@pytest.fixture
def url(engine: VirtualEngine) -> str:
    return engine.serve()


def call(method: str, url: str, body: Any = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
        answered: dict[str, Any] = json.loads(answer.read())
        return answered


def frames(socket: ClientConnection, until: str) -> Iterator[dict[str, Any]]:
    """The frames of a socket, up to one whose status or type is ``until``."""
    while True:
        frame = json.loads(socket.recv(timeout=_PATIENCE))
        yield frame
        if until in (frame["type"], frame.get("status")):
            return


def test_an_order_is_placed_by_http_and_followed_by_socket(url: str, engine: VirtualEngine) -> None:
    placed = call("POST", f"{url}/api/orders/execute", ORDER)
    with connect(placed["websocketUrl"], subprotocols=["orders.v1"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "orders.v1"
        updates = [frame for frame in frames(socket, "confirmed") if frame["type"] == "ORDER_UPDATE"]
        assert [frame["seq"] for frame in updates] == [1, 2, 3, 4, 5, 6]
        socket.send('{"action": "ping"}')
        assert next(frames(socket, "pong"))["type"] == "pong"
    assert call("GET", f"{url}/sim/check") == {"violations": []}
    assert engine.orders.keys() == {placed["orderId"]}


def test_an_open_socket_moves_time_while_an_order_executes_and_no_further(url: str) -> None:
    terms = {**ORDER, "type": "limit", "limitPrice": "150"}
    with connect(call("POST", f"{url}/api/orders/execute", terms)["websocketUrl"]) as socket:
        assert [frame["type"] for frame in frames(socket, "live")] == ["ORDER_UPDATE", "ORDER_UPDATE", "live"]
        rests = call("GET", f"{url}/sim/now")
        call("POST", f"{url}/sim/price", {"pair": "SOL/USDC", "price": "250"})
        assert [frame["seq"] for frame in frames(socket, "confirmed")] == [3, 4, 5, 6, 7, 8]
        ended = call("GET", f"{url}/sim/now")
        assert rests["now"] < ended["now"] < "2026-01-01T12:01"


def test_a_request_that_waits_moves_time(url: str) -> None:
    order_id = call("POST", f"{url}/api/orders/execute", ORDER)["orderId"]
    events = call("GET", f"{url}/api/orders/{order_id}/events?afterSeq=5&wait=20")["events"]
    assert [event["status"] for event in events] == ["confirmed"]


def test_the_controls_do_what_the_handle_does(url: str) -> None:
    call("POST", f"{url}/sim/faults", {"fault": "network_error:1", "orders": 1})
    faulty = call("POST", f"{url}/api/orders/execute", ORDER)["orderId"]
    limit = call("POST", f"{url}/api/orders/execute", {**ORDER, "type": "limit", "limitPrice": "150"})["orderId"]
    assert call("POST", f"{url}/sim/price", {"pair": "SOL/USDC", "price": "250"}) == {"triggered": 1}
    mint = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
    assert call("POST", f"{url}/sim/launch", {"mint": mint, "venue": "meteora"}) == {"new": True}
    call("POST", f"{url}/sim/duplicate-frames", {"times": 1})
    call("DELETE", f"{url}/sim/faults")
    call("POST", f"{url}/sim/restart")
    call("POST", f"{url}/sim/advance", {"by": "1m"})
    records = [call("GET", f"{url}/api/orders/{order_id}") for order_id in (faulty, limit)]
    assert [(record["status"], record["attempts"]) for record in records] == [("confirmed", 2), ("confirmed", 1)]


def test_a_lost_answer_breaks_the_connection_off(url: str, engine: VirtualEngine) -> None:
    call("POST", f"{url}/sim/lose-answers", {"count": 1})
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        call("POST", f"{url}/api/orders/execute", ORDER)
    assert len(engine.orders) == 1


def test_a_cut_socket_ends_without_a_close_frame(url: str) -> None:
    with connect(f"{url.replace('http', 'ws')}/ws?userId=bot") as socket:
        call("POST", f"{url}/sim/cut-sockets", {"user": "bot"})
        with pytest.raises(ConnectionClosedError) as cut:
            # The stream may have become live before.
            list(frames(socket, "confirmed"))
    assert cut.value.rcvd is None


def test_a_handshake_elsewhere_is_answered_as_by_the_front_door(url: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{url.replace('http', 'ws')}/elsewhere")
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    ("method", "name", "body", "status", "detail"),
    [
        ("POST", "price", {"pair": "SOL/EUR", "price": 1}, 400, "pair: must be two tokens"),
        ("POST", "advance", {}, 400, "missing a required argument: 'by'"),
        ("POST", "advance", {"by": "1m", "to": "1h"}, 400, "unexpected keyword argument 'to'"),
        ("POST", "advance", {"by": True}, 400, "True is no duration"),
        ("POST", "advance", [], 400, "the body is not an object"),
        ("POST", "lose-answers", {"count": "1"}, 400, "count is a whole number from 0 on, and not '1'"),
        ("POST", "lose-answers", {"count": -1}, 400, "and not -1"),
        ("POST", "lose-answers", {"rate": 2}, 400, "rate is a number from 0 to 1, and not 2"),
        ("POST", "duplicate-frames", {"times": "3"}, 400, "times is a whole number from 1 on, and not '3'"),
        ("POST", "duplicate-frames", {"times": 0}, 400, "and not 0"),
        ("POST", "faults", {"fault": "slow:1", "orders": "2"}, 400, "orders is a whole number from 1 on"),
        ("POST", "cut-sockets", {"user": 7}, 400, "user is text, and not 7"),
        ("POST", "advance", {"by": "soon"}, 400, "is no duration"),
        ("POST", "faults", {"fault": "earthquake"}, 400, "network_error:n"),
        ("GET", "advance", None, 404, "POST /sim/advance"),
    ],
)
def test_a_control_says_what_is_wrong(url: str, method: str, name: str, body: Any, status: int, detail: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(method, f"{url}/sim/{name}", body)
    assert refused.value.code == status
    assert detail in json.loads(refused.value.read())["detail"]


def test_a_header_that_comes_twice_arrives_twice(url: str) -> None:
    address = urllib.parse.urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=_PATIENCE)
    connection.putrequest("POST", "/api/orders/execute")
    body = json.dumps(ORDER).encode()
    for name, value in (("Idempotency-Key", "a"), ("Idempotency-Key", "b"), ("Content-Length", str(len(body)))):
        connection.putheader(name, value)
    connection.putheader("Content-Type", "application/json")
    connection.endheaders(body)
    answer = connection.getresponse()
    assert answer.status == 400, answer.read()
    connection.close()


def test_an_error_that_stops_time_stops_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = VirtualEngine()
    listening = listen("127.0.0.1", 0)

    def break_down(url: str) -> None:
        monkeypatch.setattr(engine.driver, "advance", lambda seconds: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        serve_forever(engine, listening, break_down)
    assert "its time does not go on" in caplog.text


def test_by_itself_the_server_follows_real_time() -> None:
    with subprocess.Popen([sys.executable, "-c", _SERVE], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            placed = call("POST", f"{url}/api/orders/execute", ORDER)
            with connect(placed["websocketUrl"]) as socket:
                seqs = [one["seq"] for one in frames(socket, "confirmed") if one["type"] == "ORDER_UPDATE"]
            assert seqs == [1, 2, 3, 4, 5, 6]
            assert call("GET", f"{url}/sim/check") == {"violations": []}
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--seed", "x" * 1000], "--seed='x"), (["--port", "{port}"], "cannot be listened on")],
)
def test_sim_says_which_option_is_wrong(url: str, arguments: list[str], told: str) -> None:
    port = str(urllib.parse.urlsplit(url).port)
    given = [argument.format(port=port) for argument in arguments]
    done = CliRunner().invoke(oe, ["sim", "--port", "0", *given], obj=Settings(), prog_name="oe")
    assert done.exit_code == 2
    assert told in done.output


def test_sim_does_not_call_every_error_a_taken_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(server, "serve_forever", fails)
    done = CliRunner().invoke(oe, ["sim", "--port", "0"], obj=Settings(), prog_name="oe")
    assert "PORT_TAKEN" not in done.output
    assert "cannot be listened on" not in done.output
