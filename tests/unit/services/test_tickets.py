"""Stream tickets: one handshake each, within a minute."""

import pytest

from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError
from chalicelib.domain.identity import Caller, Credential, Scope
from chalicelib.services.streams.tickets import MAX_TICKET_SECONDS
from tests.support.authentication import FakeAuthenticator
from tests.support.callers import ANYONE
from tests.support.workbench import Workbench, a_workbench

ALICE = Caller("alice", frozenset({Scope.READ}), Credential("key-1"))


@pytest.fixture
def authenticator() -> FakeAuthenticator:
    return FakeAuthenticator()


@pytest.fixture
def bench(authenticator: FakeAuthenticator) -> Workbench:
    return a_workbench(authenticator)


def test_a_ticket_stands_for_its_caller_once(bench: Workbench) -> None:
    token = bench.engine.tickets.issue(ALICE).token
    assert bench.engine.tickets.take(token) == ALICE
    with pytest.raises(InvalidCredentialError):
        bench.engine.tickets.take(token)


def test_a_ticket_holds_for_a_minute_by_the_clock(bench: Workbench) -> None:
    tickets = bench.engine.tickets
    early, late = tickets.issue(ALICE), tickets.issue(ALICE)
    assert (early.expires_at - bench.clock.now()).total_seconds() <= MAX_TICKET_SECONDS
    bench.clock.sleep(MAX_TICKET_SECONDS - 1)
    assert tickets.take(early.token) == ALICE
    bench.clock.sleep(1)
    with pytest.raises(ExpiredCredentialError):
        tickets.take(late.token)


def test_no_two_tickets_are_equal_and_the_table_holds_neither(bench: Workbench) -> None:
    tokens = {bench.engine.tickets.issue(ALICE).token for _ in range(50)}
    assert len(tokens) == 50
    assert {len(token) for token in tokens} == {len("oet_") + 43 + 6}
    assert not any(token in repr(bench.tickets.tickets) for token in tokens)


@pytest.mark.parametrize("damage", ["", "x", "oet_", "truncated", "swapped", "longer", "prefix", "newline", "digits"])
def test_a_damaged_ticket_is_refused_without_a_call_and_the_ticket_stays(bench: Workbench, damage: str) -> None:
    token = bench.engine.tickets.issue(ALICE).token
    swapped = token[:5] + ("a" if token[5] != "a" else "b") + token[6:]
    forms = {
        "truncated": token[:-1],
        "swapped": swapped,
        "longer": token + "0",
        "prefix": token.replace("oet_", "oee_"),
        "newline": token + "\n",
        "digits": token[:-1] + "\u0663",
    }
    with pytest.raises(InvalidCredentialError):
        bench.engine.tickets.take(forms.get(damage, damage))
    assert len(bench.tickets.tickets) == 1


def test_a_ticket_dies_with_the_credential_that_asked_for_it(
    bench: Workbench, authenticator: FakeAuthenticator
) -> None:
    token = bench.engine.tickets.issue(ALICE).token
    authenticator.revoked.add("key-1")
    with pytest.raises(InvalidCredentialError):
        bench.engine.tickets.take(token)


def test_a_ticket_from_before_authentication_was_switched_on_opens_nothing(bench: Workbench) -> None:
    token = bench.engine.tickets.issue(ANYONE).token
    with pytest.raises(InvalidCredentialError):
        bench.engine.tickets.take(token)
