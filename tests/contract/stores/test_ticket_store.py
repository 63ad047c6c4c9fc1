"""The contract of ``TicketStore``, on the fake and on DynamoDB."""

import pytest

from chalicelib.domain.identity import Caller, Credential, Scope, unrestricted
from chalicelib.ports.tickets import Ticket, TicketStore
from tests.contract.stores.racing import race

READER = frozenset({Scope.READ})


@pytest.mark.parametrize(
    "caller",
    [
        Caller("alice", READER, Credential("key-1", 1_800_000_000)),
        Caller("alice", frozenset(Scope), Credential("key-1")),
        Caller("alice", READER, Credential("", 1_800_000_000)),
        unrestricted(),
    ],
)
def test_a_taken_ticket_is_as_it_was_put_and_cannot_be_taken_again(tickets: TicketStore, caller: Caller) -> None:
    ticket = Ticket("digest", caller, 1_800_000_000)
    tickets.put(ticket)
    assert tickets.take("digest") == ticket
    assert tickets.take("digest") is None


def test_an_unknown_ticket_cannot_be_taken(tickets: TicketStore) -> None:
    tickets.put(Ticket("digest", unrestricted(), 1_800_000_000))
    assert tickets.take("another") is None


def test_one_of_fifty_handshakes_at_once_gets_the_ticket(tickets: TicketStore) -> None:
    ticket = Ticket("digest", Caller("alice", READER, Credential("key-1")), 1_800_000_000)
    tickets.put(ticket)
    taken = race(lambda _: tickets.take("digest"), threads=50)
    assert [one for one in taken if one] == [ticket]
