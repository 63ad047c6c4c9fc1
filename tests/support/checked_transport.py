"""The client's transport over the network, which holds every answer and every frame against the contract."""

from collections.abc import Mapping

from orderengine.core.commands import Request, Response
from orderengine.io.addresses import Addresses
from orderengine.io.network import NetworkSocket, NetworkTransport
from tests.support.contract import check_answer, check_frame


class CheckedTransport(NetworkTransport):
    """An undocumented answer raises ``UndocumentedError`` out of the call that gets it."""

    def __init__(self, http: str, ws: str) -> None:
        super().__init__(Addresses(http, ws))

    def send(self, request: Request, timeout: float) -> Response:
        answer = super().send(request, timeout)
        check_answer(request.method, request.path.partition("?")[0], answer.status, answer.headers, answer.text)
        return answer

    def open(
        self, path: str, query: tuple[tuple[str, str], ...], headers: Mapping[str, str], timeout: float
    ) -> NetworkSocket:
        return CheckedSocket(super().open(path, query, headers, timeout))


class CheckedSocket(NetworkSocket):
    """An undocumented frame raises ``UndocumentedError`` out of the stream that gets it."""

    def __init__(self, socket: NetworkSocket) -> None:
        self._socket = socket

    def receive(self, timeout: float) -> str | None:
        text = self._socket.receive(timeout)
        if text is not None:
            check_frame(text)
        return text

    def write(self, text: str) -> None:
        self._socket.write(text)

    def close(self) -> None:
        self._socket.close()
