"""What ``oe doctor`` looks at, in an order in which the first fault explains those after it."""

from collections.abc import Iterator

from orderengine.cli.doctoring import access, contract, network, service, streams
from orderengine.cli.doctoring.check import Check
from orderengine.cli.settings import Settings


def examine(settings: Settings) -> Iterator[Check]:
    """All checks, as they are done. Without an engine to talk to, those that need one are left out."""
    transport = settings.connection()
    yield from network.address(settings)
    yield from network.proxies()
    with settings.client(transport, retries=0) as client:
        reached = yield from service.reach(client, transport)
        if reached is None:
            return
        yield from network.certificate(settings)
        yield from service.clock(reached)
        yield from contract.compare(client)
        yield from access.scopes(client, has_key=settings.known_key is not None)
        yield from streams.sockets(settings, transport)
        yield from streams.long_poll(client, transport)
        yield from service.round_trips(client, transport)
