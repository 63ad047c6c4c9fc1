"""The credentials of a stack with ``AUTH=on``, as its operator and its users see them."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

from chalicelib.domain.identity import Scope
from tests.e2e.client import PATIENCE_SECONDS, parse
from tests.support.locked import LockedStack
from tests.support.page import files_of


def test_make_run_shows_the_first_key_and_a_curl_with_it(locked: LockedStack) -> None:
    shown = (locked.stack.state_dir / "launcher.log").read_text()
    assert "Authentication is on" in shown
    assert f"KEY={locked.first_key}\n" in shown
    assert (locked.stack.state_dir / "first-key").stat().st_mode & 0o777 == 0o600
    locked.client(locked.first_key).accept()["orderId"]


def test_a_stranger_is_refused_at_every_door_but_the_health_the_tokens_the_documents_and_the_page(
    locked: LockedStack,
) -> None:
    order_id = locked.client(locked.key("alice")).accept()["orderId"]
    for method, path in (
        *(("GET", "/api/orders"), ("HEAD", "/api/orders"), ("GET", f"/api/orders/{order_id}")),
        *(("DELETE", f"/api/orders/{order_id}"), ("DELETE", "/api/orders?userId=alice"), ("GET", "/api/stats")),
        *(("POST", "/orders"), ("POST", "/api/market/events")),
    ):
        for key in (None, "nonsense", f"{locked.first_key[:-1]}~"):
            answer = locked.client(key).request(method, path, {} if method == "POST" else None)
            assert answer.status_code == 401, (method, path, key)
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="order-execution-engine"')
    stranger = locked.client(None)
    opened = ("/health", "/api/tokens", "/docs", "/", *(f"/ui/{name}" for name in files_of(stranger.get("/").text)))
    assert {path: stranger.get(path).status_code for path in opened} == dict.fromkeys(opened, 200)


def test_two_headers_are_refused_through_the_front_door_and_at_the_api(locked: LockedStack) -> None:
    for name in ("http", "rest"):
        address = urlsplit(locked.stack.endpoints[name])
        connection = HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)
        connection.putrequest("GET", f"{address.path}/api/orders")
        for _ in range(2):
            connection.putheader("Authorization", f"Bearer {locked.first_key}")
        connection.endheaders()
        assert connection.getresponse().status == 401, name


def test_users_see_and_cancel_their_own_orders_only(locked: LockedStack) -> None:
    alice, bob = locked.key("own-alice"), locked.key("own-bob")
    order_id = locked.client(alice).accept()["orderId"]
    for method in ("GET", "DELETE"):
        assert locked.client(bob).request(method, f"/api/orders/{order_id}").status_code == 404
    assert locked.client(bob).request("GET", "/api/orders?userId=own-alice").status_code == 403
    assert locked.client(bob).listed() == []
    assert [one["orderId"] for one in locked.client(alice).listed()] == [order_id]
    assert locked.client(locked.first_key).record(order_id)["userId"] == "own-alice"


def test_a_key_grants_its_scopes_and_no_other(locked: LockedStack) -> None:
    reader = locked.key("reader", Scope.READ)
    refused = locked.client(reader).order()
    assert (refused.status_code, parse(refused.text)["code"]) == (403, "MISSING_SCOPE")
    assert locked.client(reader).request("GET", "/api/orders").status_code == 200
    assert locked.client(reader).request("POST", "/api/market/events", {}).status_code == 403


def test_users_see_the_statistics_of_their_own_orders_only(locked: LockedStack) -> None:
    reader = locked.client(locked.key("scored", Scope.READ))
    own = reader.engine.stats().raw
    assert (own["userId"], own["execution"]["orders"], own["history"]) == ("scored", {}, None)
    assert reader.request("GET", "/api/stats?userId=alice").status_code == 403
    everybody = locked.client(locked.first_key).engine.stats().raw
    assert everybody["userId"] is None
    assert everybody["history"] is not None


def test_no_log_has_a_key(locked: LockedStack) -> None:
    key = locked.key("logged")
    locked.client(key).accept()["orderId"]
    locked.client("nonsense").get("/api/orders", token=key)
    functions = [file for file in (locked.stack.state_dir / "logs").iterdir() if file.suffix == ".log"]
    assert functions
    assert not [file.name for file in functions if key[-49:] in file.read_text(errors="replace")]
