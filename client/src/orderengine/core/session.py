"""What the flows of one client share: options, counters, and the difference to the server's clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

from orderengine.core.clock import ServerClock
from orderengine.core.requests import checked_credential

Key: TypeAlias = str | Callable[[], str]


@dataclass(slots=True)
class Counters:
    """What a client has seen so far. After any stream ``gaps == gaps_filled`` says that it lacks nothing."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    #: Orders whose outcome was unknown when a call ended.
    unknown_outcomes: int = 0
    frames: int = 0
    #: Frames with an event that the client had already, and did not hand out again.
    doubles: int = 0
    #: Messages that are no frame of the contract.
    bad_frames: int = 0
    #: Times at which a frame came before its turn, and of these the ones that ``events`` has filled.
    gaps: int = 0
    gaps_filled: int = 0
    sockets: int = 0
    reconnects: int = 0
    renewals: int = 0
    long_polls: int = 0
    polls: int = 0

    def as_dict(self) -> dict[str, int]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a client. Times are in seconds."""

    #: A credential, or a function that returns the present one: each request asks it.
    key: Key | None = field(default=None, repr=False)
    user: str | None = None
    #: Total time of a call with all its requests and retries, unless the call says otherwise.
    timeout: float = 30.0
    #: Most time of one attempt, so that an unresponsive server leaves time for others.
    try_timeout: float = 10.0
    #: Most repeats of a request after its first attempt.
    retries: int = 4
    #: Open sockets with a ticket in place of the key.
    use_tickets: bool = False
    on_reconnect: Callable[[Any], None] | None = None
    on_rate_limit: Callable[[Any], None] | None = None
    on_retry: Callable[[Any], None] | None = None


@dataclass(slots=True)
class Session:
    """The state of a client between calls. Copies with other options share the counters and the clock."""

    options: Options
    counters: Counters = field(default_factory=Counters)
    clock: ServerClock = field(default_factory=ServerClock)
    #: The monotonic time at which every request of the present call ends.
    ends_at: float = float("inf")

    @property
    def headers(self) -> Mapping[str, str]:
        """:raises InvalidArgument: if the function of ``key`` returns what no header can have."""
        key = self.options.key
        credential = key() if callable(key) else key
        return {"authorization": f"Bearer {checked_credential(credential)}"} if credential else {}

    def limited(self, **limits: Any) -> "Session":
        """This session with other limits for its calls. Both share the counters and the clock."""
        return replace(self, options=replace(self.options, **limits))
