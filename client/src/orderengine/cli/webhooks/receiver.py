"""The receiver of webhooks: a delivery is repeated until it is acknowledged."""

import math
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from orderengine.cli.exits import Exit, Stop
from orderengine.cli.webhooks.message import Message, headers_of
from orderengine.core.answers import retry_after
from orderengine.core.commands import Response

#: Full jitter between 0 and base times 2^n, up to the cap.
_BASE_SECONDS, _CAP_SECONDS = 0.5, 30.0
_GONE = 410
#: Least time between two notes of one delivery that fails.
_NOTE_SECONDS = 60.0

#: Posts a body with headers, and returns the answer. It raises OSError if none comes.
Post = Callable[[bytes, Mapping[str, str]], Response]


class Clock(Protocol):
    def time(self) -> float: ...

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Receiver:
    """A URL that webhooks go to, one after another.

    ``failing`` is told a code and a sentence when a delivery fails first, once a minute while it does, and when it
    succeeds after all.
    """

    def __init__(
        self,
        post: Post,
        key: bytes | None,
        retry_seconds: float,
        failing: Callable[[str, str], None],
        clock: Clock | None = None,
    ) -> None:
        self._post = post
        self._key = key
        self._retry_seconds = retry_seconds
        self._failing = failing
        self._clock = clock or SystemClock()

    def deliver(self, message: Message) -> int:
        """Send a webhook until a 2xx acknowledges it, and return that status.

        :raises Stop: if the receiver is gone for good (410), or does not acknowledge it in time.
        """
        deadline = self._clock.monotonic() + self._retry_seconds
        tries, next_note = 0, -math.inf
        while True:
            status, reason, pause = self._attempt(message)
            if 200 <= status < 300:
                if tries:
                    self._failing("RECEIVER_RECOVERED", f"{message.id} is delivered, at try {tries + 1}.")
                return status
            if status == _GONE:
                detail = f"The receiver answers 410: it wants no more webhooks. {message.id} was not delivered."
                raise Stop(Exit.USAGE, "RECEIVER_GONE", detail, webhookId=message.id)
            if pause is None:
                pause = random.random() * min(_CAP_SECONDS, _BASE_SECONDS * float(2 ** min(tries, 10)))
            tries += 1
            if self._clock.monotonic() + pause > deadline:
                count = "1 try" if tries == 1 else f"{tries} tries"
                detail = (
                    f"{message.id} was not acknowledged in {count}; the last one got {reason}."
                    " The cursor stays before this event."
                )
                raise Stop(Exit.LATER, "NOT_DELIVERED", detail, webhookId=message.id)
            if self._clock.monotonic() >= next_note:
                next_note = self._clock.monotonic() + _NOTE_SECONDS
                self._failing("RECEIVER_FAILS", f"{message.id}: {reason}. Try {tries + 1} follows in {pause:.1f} s.")
            self._clock.sleep(pause)

    def _attempt(self, message: Message) -> tuple[int, str, float | None]:
        """The status, what to call it, and the pause that the receiver asks for."""
        try:
            response = self._post(message.body, headers_of(message, self._key, int(self._clock.time())))
        except OSError as error:
            return 0, str(error), None
        return response.status, f"HTTP {response.status}", retry_after(response)


def poster(url: str, timeout: float) -> Post:
    """Posts to a URL over the network. It follows no redirects, which would send a signed event elsewhere."""
    import httpx2

    client: Any = httpx2.Client(timeout=timeout)

    def post(body: bytes, headers: Mapping[str, str]) -> Response:
        try:
            answer = client.post(url, content=body, headers=dict(headers))
        except httpx2.HTTPError as error:
            raise OSError(str(error) or type(error).__name__) from error
        return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, b"")

    return post
