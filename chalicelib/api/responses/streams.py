"""The answers of the calls about status streams."""

from typing import TypedDict

from chalicelib.codec.times import to_text
from chalicelib.services.streams.tickets import IssuedTicket


class TicketBody(TypedDict):
    token: str
    expiresAt: str


def ticket_body(ticket: IssuedTicket) -> TicketBody:
    return {"token": ticket.token, "expiresAt": to_text(ticket.expires_at)}
