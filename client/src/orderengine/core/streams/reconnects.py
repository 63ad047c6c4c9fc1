"""What ``on_reconnect`` learns, and the close codes in words."""

from dataclasses import dataclass

SOCKET, LONG_POLL, POLL = "socket", "long poll", "poll"

_WORDS = {
    1000: "The server ended the socket.",
    1001: "The server went away: API Gateway ends a socket after two hours, and after ten minutes of silence.",
    1002: "The server found an error of protocol.",
    1003: "The server does not take this kind of data.",
    1006: "The connection broke without a goodbye.",
    1007: "The server got text that is not UTF-8.",
    1008: "The server ended the socket by a rule of its own: a flood of messages, for instance.",
    1009: "A message was too big: API Gateway takes frames of 32 kB.",
    1010: "The server lacks an extension of the protocol.",
    1011: "The server failed.",
    1012: "The server restarts.",
    1013: "The server is busy and asks to come back later.",
    1014: "A gateway got no good answer from the server behind it.",
    1015: "The TLS handshake failed.",
}


@dataclass(frozen=True, slots=True)
class Reconnect:
    """A stream that goes on after its socket ended: the argument of ``on_reconnect``, once for each reconnection.

    ``code`` is the close code, and ``None`` if the client gave the socket up or got none; ``words`` say what it
    means. ``attempt`` counts the handshakes that it took, ``gap_filled`` the events that came meanwhile.
    ``transport`` is what the stream uses now: ``socket``, ``long poll`` or ``poll``.
    """

    stream: str
    code: int | None
    reason: str
    words: str
    attempt: int
    gap_filled: int
    transport: str


def words_of(code: int | None) -> str:
    """What a close code means (RFC 6455, 7.4, and API Gateway)."""
    if code is None:
        return "The client gave the socket up, or got none."
    return _WORDS.get(code, f"The server ended the socket with the code {code}.")
