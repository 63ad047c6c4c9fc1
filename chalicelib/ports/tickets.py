"""Stream tickets: each opens one socket for the caller that asked for it."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.identity import Caller


@dataclass(frozen=True, slots=True)
class Ticket:
    """``digest`` is the hash of the ticket's text. ``expires_at`` is in seconds since the epoch."""

    digest: str
    caller: Caller
    expires_at: int


class TicketStore(Protocol):
    def put(self, ticket: Ticket) -> None: ...

    def take(self, digest: str) -> Ticket | None:
        """Remove a ticket, expired or not. Exactly one of several calls returns it."""
        ...
