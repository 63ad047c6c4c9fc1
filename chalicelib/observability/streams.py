"""The events of sockets and of the streams on them, as an operator sees them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from chalicelib.domain.orders import Order
from chalicelib.observability import context, metrics
from chalicelib.observability.lines import note


@contextmanager
def entry(**ids: str) -> Iterator[None]:
    """One request, socket action or message with these ids. Its end counts the frames that sockets took."""
    with context.entry(**ids) as frames:
        try:
            yield
        finally:
            if pushed := sum(frames):
                note("frames pushed", metrics.FRAMES_PUSHED.of(pushed))


def frames_pushed(order: Order, number: int) -> None:
    """Sockets took frames of an order. One line at the end of the entry counts those of all its writes."""
    if number and not context.add_frames(number):
        note("frames pushed", metrics.FRAMES_PUSHED.of(number), about=order)


def sockets_dropped(order: Order, gone: int, late: int) -> None:
    """Sockets could not be served: some are gone, and the replay queue catches up those that are late."""
    counted = [metrics.FRAMES_LATE.of(late)] if late else []
    note("sockets dropped", *counted, gone=gone, late=late, about=order)


def slow_socket_closed(connection_id: str) -> None:
    note("slow socket closed", metrics.SOCKETS_CLOSED.of(), connectionId=connection_id)


def socket_closed(connection_id: str, reason: str) -> None:
    """The engine closed the socket of a client whose message it refuses."""
    note("socket closed", connectionId=connection_id, reason=reason)


def sockets_revoked(credential_id: str, number: int) -> None:
    """The engine closes the sockets of a credential that has ended."""
    note("closing sockets", credentialId=credential_id, sockets=number)


def connected(query: Mapping[str, Sequence[str]]) -> None:
    note("connected", query=query)


def handshake_refused(code: str) -> None:
    note("handshake refused", code=code)


def disconnected() -> None:
    note("disconnected")


def action_refused(code: str) -> None:
    """A message of a client got a problem as its answer."""
    note("message refused", code=code)


def connection_gone() -> None:
    note("connection gone before the answer")


def stream_replayed(kind: str, connection_id: str) -> None:
    """The replay queue brought a stream up to date, as far as its socket took the frames."""
    note("stream replayed", kind=kind, connectionId=connection_id)


def followers_subscribed() -> None:
    """The followers of an order's user are among its subscribers."""
    note("followers subscribed")


def socket_checked(connection_id: str) -> None:
    """The replay queue looked whether a socket must be closed, because its credential has ended."""
    note("socket checked", connectionId=connection_id)


def group_served(number: int) -> None:
    """A worker pushed to a group of an order's subscribers."""
    note("group of subscribers served", group=number)
