"""What opens a socket, how often, and until when."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from infra.ops import keys
from tests.e2e.client import Client, Socket
from tests.support.issuer import LocalIssuer
from tests.support.locked import LockedStack

#: API Gateway answers 401; the local emulator has one answer for every refusal.
REFUSED = (401, 403)


def opens(client: Client, address: str) -> bool:
    try:
        with client.socket(address) as socket:
            socket.say(action="ping")
            socket.until("pong")
            return True
    except InvalidStatus as error:
        status = error.response.status_code
    assert status in REFUSED
    return False


def codes_until_closed(socket: Socket) -> list[str]:
    """The codes of the errors that a socket brings before the engine closes it."""
    with suppress(ConnectionClosed):
        while True:
            socket.next()
    return [frame["code"] for frame in socket.frames if frame["type"] == "error"]


def ticket(client: Client) -> str:
    return client.engine.ticket().token


def test_a_ticket_opens_one_socket_for_its_user_however_many_try_at_once(alice: Client, stranger: Client) -> None:
    address = f"/ws?token={ticket(alice)}"
    with ThreadPoolExecutor(8) as executor:
        opened = list(executor.map(lambda _: opens(Client(stranger.http, stranger.ws), address), range(8)))
    assert sorted(opened) == [False] * 7 + [True]


def test_a_ticket_carries_the_user_and_the_scopes_of_its_credential(alice: Client, stranger: Client) -> None:
    order_id = alice.accept(type="limit", limitPrice="1000000")["orderId"]
    with stranger.socket(f"/ws?token={ticket(alice)}") as socket:
        socket.say(action="subscribe", orderId=order_id)
        assert socket.until("ack")["orderId"] == order_id
        socket.say(action="subscribe", userId="bob")
        assert socket.until("error")["code"] == "MISSING_SCOPE"


@pytest.mark.parametrize("made_of", ["{key}", "{jwt}", "", "oet_nonsense", "{ticket}x", "{ticket}&token={ticket}"])
def test_an_address_takes_a_ticket_and_nothing_else(
    locked: LockedStack, issuer: LocalIssuer, alice: Client, stranger: Client, made_of: str
) -> None:
    token = made_of.format(key=locked.key("alice"), jwt=issuer.token("alice", "read"), ticket=ticket(alice))
    assert not opens(stranger, f"/ws?token={token}")


def test_a_ticket_beside_a_credential_opens_nothing(alice: Client) -> None:
    assert not opens(alice, f"/ws?token={ticket(alice)}")


def test_a_token_of_the_issuer_places_orders_and_opens_sockets(
    locked: LockedStack, issuer: LocalIssuer, stranger: Client
) -> None:
    carol = locked.client(issuer.token("auth0|carol", "read", "trade"))
    order = carol.accept()
    carol.ended(order["orderId"])
    assert carol.record(order["orderId"])["userId"].startswith("sub:")
    with stranger.socket(f"/ws?token={ticket(carol)}") as socket:
        socket.say(action="subscribe", orderId=order["orderId"])
        socket.until_terminal(order["orderId"])


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "EXPIRED_CREDENTIAL"),
        ({"aud": "another"}, "INVALID_CREDENTIAL"),
        ({"iss": "https://another.example"}, "INVALID_CREDENTIAL"),
        ({"nbf": 2**32}, "INVALID_CREDENTIAL"),
        ({"iat": 2**32}, "INVALID_CREDENTIAL"),
        ({"sub": None}, "INVALID_CREDENTIAL"),
    ],
)
def test_a_token_that_is_not_valid_gets_a_code_and_no_reason(
    locked: LockedStack, issuer: LocalIssuer, claims: dict[str, Any], code: str
) -> None:
    answer = locked.client(issuer.token("carol", "read", **claims)).get("/api/orders")
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert not opens(locked.client(issuer.token("carol", "read", **claims)), "/ws")


def test_a_socket_ends_soon_after_its_token(locked: LockedStack, issuer: LocalIssuer) -> None:
    carol = locked.client(issuer.token("carol", "read", lifetime_seconds=20))
    with carol.socket() as socket:
        assert codes_until_closed(socket) == ["EXPIRED_CREDENTIAL"]


def test_a_revoked_key_opens_nothing_within_a_minute_and_its_sockets_are_closed(locked: LockedStack) -> None:
    key = locked.key("dave")
    dave, again = locked.client(key), locked.client(locked.key("dave"))
    with dave.socket() as mine, again.socket() as other:
        keys.revoke(locked.deployment, key.split("_")[2])
        assert codes_until_closed(mine) == ["INVALID_CREDENTIAL"]
        # The sockets of the user's other keys stay.
        other.say(action="ping")
        other.until("pong")
    # An environment may know the key for half a minute.
    until = time.monotonic() + 60
    while dave.get("/api/orders").status_code != 401 or opens(dave, "/ws"):
        assert time.monotonic() < until
        time.sleep(1)
