"""The two front doors, Caddy and the CloudFront function, decide alike on every request, also on odd ones."""

import gzip
import http.client
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.http.headers import FIXED_HEADERS
from infra.aws.front_door import caddy_config, cloudfront_function

PAGE = "https://app.example"
ORDER, OTHER = "0b9f2a4e-6f0d-4c7a-9a55-3c1f6a1f2b3c", "5c0ffee0-0000-4000-8000-000000000001"
#: Headers of a handshake that reach a CloudFront function; CloudFront hides ``Upgrade`` and ``Connection``.
HANDSHAKE = {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13"}
UPGRADE = {"upgrade": "websocket", "connection": "Upgrade"}

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")

Request = tuple[str, str, dict[str, str]]
#: The API that a door chooses, with path and query; or the status and problem of its own answer.
Decision = tuple[Any, ...]

STREAM_PATHS = ["/ws", f"/ws/orders/{ORDER}", "/api/orders/connect", "/api/orders/execute"]
QUERIES = ["", f"?orderId={OTHER}", f"?orderId={OTHER}&orderId={OTHER}", "?userId=U&afterSeq=3&afterSeq=4", "?foo"]
PATHS = [
    *STREAM_PATHS,
    *(f"{path}/" for path in STREAM_PATHS),
    *(f"/{path}//" for path in STREAM_PATHS),
    "/",
    "//",
    "/health",
    "/health/",
    "/api//orders",
    "/api/orders/",
    f"/api/orders/{ORDER}",
    "/wsx",
    "/WS",
    f"/WS/orders/{ORDER}",
    "/ws/",
    "/ws/orders",
    "/ws/orders/1/events",
    "/ws/anything",
    # A path is matched as it is written: nothing is decoded or resolved before.
    "/%77s",
    "/ws%2Forders",
    f"/ws/orders/{ORDER[:-1]}%63",
    f"/%77s/orders/{ORDER}",
    "/%2Fws",
    "/ws%2F",
    "/ws/orders/a%2Fb",
    f"/ws/orders/{ORDER}%26orderId={OTHER}",
    f"/ws/orders/{ORDER}&orderId={OTHER}",
    f"/ws/orders/{ORDER}%3ForderId={OTHER}",
    f"/ws/orders/{ORDER};v=1",
    "/ws/orders/%20",
    "/ws/orders/a+b",
    "/ws/orders/a_b",
    "/./ws",
    "/x/../ws",
    "/api/orders/%65xecute",
    "/ui/style.css",
    "/ui//style.css/",
]
REQUESTS: list[Request] = [
    *(("GET", path + query, HANDSHAKE) for path in PATHS for query in QUERIES),
    *(("GET", path, {}) for path in PATHS),
    *(("HEAD", path, HANDSHAKE) for path in STREAM_PATHS),
    *(("POST", path, HANDSHAKE) for path in [*STREAM_PATHS, "/api/orders/execute/", "/ws/x"]),
    *(("GET", "/ws", HANDSHAKE | {"sec-websocket-version": version}) for version in ("8", "", "130", " 13 ")),
    *(("GET", "/ws", HANDSHAKE | {"sec-websocket-key": key}) for key in ("abc", "", "x" * 24)),
    ("GET", "/ws", {"sec-websocket-key": HANDSHAKE["sec-websocket-key"]}),
    ("GET", "/ws", {"sec-websocket-version": "13"}),
]


class Upstream(BaseHTTPRequestHandler):
    """Answers with the request's path and query, or as the path says."""

    def do_GET(self) -> None:
        status, kind = 200, "application/json"
        if "fail" in self.path:
            status, kind = [(502, "application/json"), (503, "application/json"), (500, "application/problem+json")][
                int(self.path[-1])
            ]
        told = {"path": self.path, "upgrade": self.headers.get("Upgrade")}
        body = json.dumps({**told, "long": "x" * 2000} if "long" in self.path else told).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if "own" in self.path or "kept" in self.path:
            self.send_header("Cache-Control", "no-store" if "own" in self.path else "public, max-age=300")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_POST = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def caddy(upstream: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    yield from running_caddy(upstream, tmp_path_factory.mktemp("caddy"))


def running_caddy(upstream: int, home: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    settings = caddy_config(
        listen=[f"127.0.0.1:{port}"],
        upstream=f"127.0.0.1:{upstream}",
        rest_path="/rest",
        websocket_path="/websocket",
        origin=PAGE,
    )
    (home / "caddy.json").write_text(json.dumps(settings))
    command = [str(Path(sys.executable).with_name("caddy")), "run", "--config", str(home / "caddy.json")]
    environment = {"XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()


def asked(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def of_caddy(port: int, method: str, path: str, headers: dict[str, str]) -> Decision:
    answer, body = asked(port, method, path, headers | UPGRADE)
    if answer.status != 200:
        return answer.status, answer.headers["Content-Type"], answer.headers["Sec-WebSocket-Version"]
    if method == "HEAD":
        return ("rest",)
    api, _, rest = json.loads(body)["path"].removeprefix("/").partition("/")
    split = urlsplit(f"//host/{rest}" if "?" not in api else f"//host/?{api.partition('?')[2]}")
    return api.partition("?")[0], split.path, parse_qs(split.query, keep_blank_values=True)


HARNESS = """
let selected = null;
const cf = {selectRequestOriginById: (id) => { selected = id; }};
CODE
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map((event) => {
  selected = null;
  return {answer: handler(event), selected: selected};
})));
"""
#: The origins of cache behaviors. CloudFront selects a behavior by the path as it reads it, which may be another one
#: than the table's.
ORIGINS = ["rest", "websocket"]


def event_of(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    split = urlsplit(f"//host{path}")
    query = parse_qs(split.query, keep_blank_values=True)
    return {
        "context": {"requestId": "the-request"},
        "request": {
            "method": method,
            "uri": split.path,
            "headers": {name: {"value": value} for name, value in headers.items()},
            "querystring": {
                name: {"value": values[0]}
                | ({"multiValue": [{"value": one} for one in values]} if values[1:] else {})
                for name, values in query.items()
            },
        },
    }


def of_cloudfront(origin: str, requests: list[Request]) -> list[tuple[dict[str, Any], str | None]]:
    """Return what the function answers behind behaviors with ``origin``, and the origin that it selects, if any."""
    code = HARNESS.replace("CODE", cloudfront_function(origin).replace('import cf from "cloudfront";', ""))
    events = json.dumps([event_of(*request) for request in requests])
    done = subprocess.run(["node", "-e", code], input=events, capture_output=True, text=True, check=True)
    return [(one["answer"], one["selected"]) for one in json.loads(done.stdout)]


def decision(method: str, answer: dict[str, Any], chosen: str) -> Decision:
    if "statusCode" in answer:
        headers = answer["headers"]
        assert headers["x-request-id"]["value"] == "the-request"
        assert json.loads(answer["body"]["data"])["requestId"] == "the-request"
        return answer["statusCode"], headers["content-type"]["value"], headers["sec-websocket-version"]["value"]
    if method == "HEAD":
        return (chosen,)
    query = {
        name: [one["value"] for one in value.get("multiValue", [value])]
        for name, value in answer["querystring"].items()
    }
    return chosen, answer["uri"], query


@needs_node
@pytest.mark.parametrize("origin", ORIGINS)
def test_both_front_doors_decide_alike_whichever_behavior_cloudfront_selects(caddy: int, origin: str) -> None:
    for request, (answer, selected) in zip(REQUESTS, of_cloudfront(origin, REQUESTS), strict=True):
        assert of_caddy(caddy, *request) == decision(request[0], answer, selected or origin), request


@needs_node
@pytest.mark.parametrize("origin", ORIGINS)
def test_the_function_selects_an_origin_only_where_the_behavior_has_another_one(origin: str) -> None:
    for request, (_, selected) in zip(REQUESTS, of_cloudfront(origin, REQUESTS), strict=True):
        assert selected != origin, request


def test_the_path_decides_over_the_query(caddy: int) -> None:
    path = f"/ws/orders/{ORDER}?orderId={OTHER}&orderId={OTHER}&afterSeq=3"
    assert of_caddy(caddy, "GET", path, HANDSHAKE) == ("websocket", "/", {"orderId": [ORDER], "afterSeq": ["3"]})


@pytest.mark.parametrize(
    ("name", "value", "opens"),
    [
        ("upgrade", "WebSocket", True),
        ("connection", "keep-alive, UPGRADE", True),
        ("upgrade", "h2c", False),
        ("upgrade", "", False),
        ("connection", "keep-alive", False),
    ],
)
def test_the_local_front_door_looks_for_a_full_handshake(caddy: int, name: str, value: str, opens: bool) -> None:
    answer, _ = asked(caddy, "GET", "/ws", HANDSHAKE | UPGRADE | {name: value})
    assert answer.status == (200 if opens else 400)


def test_the_local_front_door_asks_the_emulator_for_no_other_protocol(caddy: int) -> None:
    _, body = asked(caddy, "GET", "/health", {"upgrade": "h2c", "connection": "Upgrade"})
    assert json.loads(body)["upgrade"] is None


def headers_of(answer: http.client.HTTPResponse) -> set[tuple[str, str]]:
    """The headers that every answer has, as often as this answer has them."""
    found = [(name, value) for name, value in answer.getheaders() if name in FIXED_HEADERS]
    assert len(found) == len(FIXED_HEADERS), found
    return set(found)


@pytest.mark.parametrize("path", ["/own", "/foreign", "/nope", "/ws", "/fail0", "/fail1", "/fail2"])
def test_every_answer_of_the_local_front_door_has_the_fixed_headers_once(caddy: int, path: str) -> None:
    answer, _ = asked(caddy, "GET", path, {})
    assert headers_of(answer) == set(FIXED_HEADERS.items())
    assert "Strict-Transport-Security" not in answer.headers, "there is no TLS here"


def test_the_app_decides_which_of_its_answers_a_cache_may_keep(caddy: int) -> None:
    answer, _ = asked(caddy, "GET", "/kept", {})
    assert answer.headers.get_all("Cache-Control") == ["public, max-age=300"]


@pytest.mark.parametrize(
    ("path", "accepted", "coding"),
    [
        ("/ui/long", "gzip, br", "gzip"),
        ("/ui/long", "br", None),
        ("/ui/short", "gzip", None),
        ("/long", "gzip", None),
    ],
)
def test_the_local_front_door_compresses_the_files_of_the_page_alone(
    caddy: int, path: str, accepted: str, coding: str | None
) -> None:
    answer, body = asked(caddy, "GET", path, {"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == coding
    text = gzip.decompress(body) if coding else body
    assert json.loads(text)["path"] == f"/rest{path}"
    head, _ = asked(caddy, "HEAD", path, {"Accept-Encoding": accepted})
    assert head.headers["Content-Length"] == str(len(text))


def test_pages_of_the_allowed_origin_may_read_that_the_emulator_does_not_answer(caddy: int) -> None:
    answer, _ = asked(caddy, "GET", "/fail0", {})
    assert answer.headers.get_all("Access-Control-Allow-Origin") == [PAGE]


def is_unavailable(answer: http.client.HTTPResponse, body: bytes) -> bool:
    problem = json.loads(body)
    return (
        (answer.status, answer.headers["Retry-After"], problem["code"]) == (503, "5", "UNAVAILABLE")
        and answer.headers["Content-Type"] == "application/problem+json"
        and answer.headers["X-Request-Id"] == problem["requestId"]
    )


def test_a_failure_of_the_emulator_becomes_a_problem(caddy: int) -> None:
    assert is_unavailable(*asked(caddy, "GET", "/fail0", {}))


@pytest.mark.parametrize(("path", "status"), [("/fail1", 503), ("/fail2", 500)])
def test_a_failure_that_the_app_reports_passes_unchanged(caddy: int, path: str, status: int) -> None:
    answer, body = asked(caddy, "GET", path, {})
    assert (answer.status, json.loads(body)["path"]) == (status, f"/rest{path}")


def test_an_emulator_that_is_gone_becomes_a_problem(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for caddy in running_caddy(closed.getsockname()[1], tmp_path):
            assert is_unavailable(*asked(caddy, "GET", "/health", {}))
