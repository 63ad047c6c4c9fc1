"""TLS in front of a PostgreSQL: the one that tests run is built without it."""

import asyncio
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.local.config import HOST
from tests.support.certificates import Identity

#: The message by which a client of PostgreSQL asks for TLS: its length, and a version that no protocol has.
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@contextmanager
def tls_in_front_of(port: int, identity: Identity, directory: Path) -> Iterator[int]:
    """Serve TLS with this identity on the port that the context yields, for the server behind ``port``."""
    file = directory / "identity.pem"
    file.write_bytes(identity.certificate + identity.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        # A client that distrusts the certificate ends the connection.
        with suppress(OSError, asyncio.IncompleteReadError):
            assert await reader.readexactly(len(_SSL_REQUEST)) == _SSL_REQUEST
            writer.write(b"S")
            await writer.start_tls(context)
            from_server, to_server = await asyncio.open_connection(HOST, port)
            await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))

    loop = asyncio.new_event_loop()
    listener = loop.run_until_complete(asyncio.start_server(serve, HOST, 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listener.close()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
