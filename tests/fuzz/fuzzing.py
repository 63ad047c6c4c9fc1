"""Sends random requests to a running stack and collects everything that is wrong with the answers."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed
from websockets.exceptions import InvalidStatus

from chalicelib.http.callers import OPEN
from tests.e2e.client import Answer, Client, Socket, parse
from tests.fuzz import calls, oracle

_REPLIES = {"ack", "pong", "error"}


class FoundError(AssertionError):
    """An answer is not as it must be."""


@dataclass
class Fuzz:
    """``stranger``: a client without a credential; ``None`` where the stack has no authentication.

    ``stored``: the ids of all stored orders. ``answers`` counts what was sent, by call and status or frame.
    """

    client: Client
    stranger: Client | None
    stored: Callable[[], set[str]]
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)

    def run(self, requests: int, sockets: int, seed: int | None = None) -> None:
        """Send so many requests over HTTP, converse on so many sockets, and open as many others.

        :raises FoundError: at the first wrong answer, reduced to a small request.
        """
        before = self.stored()
        orders = [self.client.accept(amountIn="1")["orderId"] for _ in range(3)]
        self.accepted.update(orders)
        options: Any = {
            "deadline": None,
            "suppress_health_check": list(HealthCheck),
            "phases": (Phase.generate, Phase.shrink),
            "derandomize": seed is None,
            "database": None,
        }
        for check, strategy, examples in (
            (self._check_request, calls.requests(orders), requests),
            (self._check_messages, calls.messages(orders), sockets),
            (self._check_handshake, calls.handshakes(orders), sockets),
        ):
            found = settings(max_examples=examples, **options)(given(strategy)(check))
            (found if seed is None else hypothesis_seed(seed)(found))()
        if unexpected := self.stored() - before - self.accepted:
            raise FoundError(f"orders of refused requests are stored: {sorted(unexpected)[:3]}")
        if lost := self.accepted - self.stored():
            raise FoundError(f"accepted orders are not stored: {sorted(lost)[:3]}")

    def _check_request(self, request: calls.Request) -> None:
        unsigned = self.stranger is not None and not request.signed_in
        client = self.stranger if unsigned and self.stranger else self.client
        answer = client.send(request.method, request.path, request.query, request.body, request.headers)
        self.answers[request.call, str(answer.status_code)] += 1
        headers = {name.lower(): value for name, value in answer.headers.items()}
        faults = oracle.faults_of_answer(answer.status_code, headers, answer.text)
        if unsigned and request.path not in OPEN and answer.status_code != 401 and not _is_no_route(answer):
            faults.append(f"a stranger is answered {answer.status_code}")
        if request.makes_orders and answer.status_code == 202:
            self.accepted.add(parse(answer.text)["orderId"])
        _report(faults, request, answer)

    def _check_messages(self, messages: list[calls.Message]) -> None:
        with self.client.socket() as socket:
            for message in messages:
                socket.say_raw(message.text)
                frame = self._reply(socket)
                self.answers[f"socket {message.action}", frame["type"]] += 1
                _report(oracle.faults_of_frame(frame, str(frame)), message, frame)
                if message.action == "execute_order" and frame["type"] == "ack":
                    self.accepted.add(frame["orderId"])

    def _reply(self, socket: Socket) -> Any:
        """The next frame that is no update: every message has one answer."""
        while (frame := socket.next())["type"] not in _REPLIES:
            _report(oracle.faults_of_frame(frame, str(frame)), "an update", frame)
        return frame

    def _check_handshake(self, query: dict[str, str]) -> None:
        address = "/ws?" + urlencode(query)
        if self.stranger is not None:
            try:
                with self.stranger.socket(address):
                    raise FoundError(f"a stranger opened {address}")
            except InvalidStatus as refused:
                self.answers["stranger's handshake", str(refused.response.status_code)] += 1
                if refused.response.status_code not in (401, 403):
                    raise FoundError(f"{address}: {refused}") from refused
        if self.stranger is not None and "token" in query:
            # A credential in the header and a token are one too many.
            return
        with self.client.socket(address) as socket:
            socket.say(action="ping", requestId="after the handshake")
            while (frame := socket.next()).get("requestId") != "after the handshake":
                _report(oracle.faults_of_frame(frame, str(frame)), address, frame)
            self.answers["handshake", frame["type"]] += 1


def _is_no_route(answer: Answer) -> bool:
    """The gateway itself answers at a path without a route, to everybody."""
    return answer.status_code == 404 and parse(answer.text)["code"] == "NOT_FOUND"


def _report(faults: list[str], request: object, answer: Any) -> None:
    if faults:
        text = f"{answer.status_code} {answer.text}" if isinstance(answer, Answer) else str(answer)
        raise FoundError(f"{'; '.join(faults)}\n{request}\n{text[:2000]}")
