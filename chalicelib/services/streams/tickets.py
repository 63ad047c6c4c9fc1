"""Stream tickets: a browser cannot set headers on a handshake, and a credential in an address ends in access logs.

A ticket in its place opens one socket, within a minute. The engine stores its hash, so that the table opens none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from chalicelib.codec.secret_text import (
    CHECKSUM_CHARACTERS,
    SECRET_CHARACTERS,
    has_checksum,
    random_text,
    with_checksum,
)
from chalicelib.codec.times import from_ms, to_seconds
from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError
from chalicelib.domain.identity import Caller, Scope
from chalicelib.ports.authentication import Authenticator
from chalicelib.ports.tickets import Ticket, TicketStore

MAX_TICKET_SECONDS = 60
PREFIX = "oet_"
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{SECRET_CHARACTERS + CHECKSUM_CHARACTERS}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StreamTickets:
    tickets: TicketStore
    authenticator: Authenticator
    now: Callable[[], datetime]

    def issue(self, caller: Caller) -> IssuedTicket:
        """A ticket with which the caller opens one socket.

        :raises MissingScopeError: if the caller may not read orders.
        """
        caller.require(Scope.READ)
        token = with_checksum(PREFIX + random_text())
        expires_at = to_seconds(self.now()) + MAX_TICKET_SECONDS
        self.tickets.put(Ticket(_digest(token), caller, expires_at))
        return IssuedTicket(token, from_ms(expires_at * 1000))

    def take(self, token: str) -> Caller:
        """The caller that got this ticket, which is used up by that.

        :raises InvalidCredentialError: if the text is not a ticket, the ticket is unknown or used up, or the
            credential of its caller is revoked.
        :raises ExpiredCredentialError: if the ticket has expired.
        """
        if not _FORM.fullmatch(token) or not has_checksum(token):
            raise InvalidCredentialError
        ticket = self.tickets.take(_digest(token))
        if ticket is None:
            raise InvalidCredentialError
        # DynamoDB deletes an expired item hours later.
        if ticket.expires_at <= to_seconds(self.now()):
            raise ExpiredCredentialError
        # A ticket without a credential was issued before authentication was switched on.
        credential = ticket.caller.credential
        if credential is None or not self.authenticator.is_live(credential):
            raise InvalidCredentialError
        return ticket.caller


def _digest(token: str) -> str:
    # The token has 256 random bits, so no key and no slow hash protects its hash any better.
    return sha256(token.encode()).hexdigest()
