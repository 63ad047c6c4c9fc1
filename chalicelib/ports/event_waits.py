"""How many requests wait for an event."""

from typing import Protocol

#: The longest wait. API Gateway and the function's timeout end a request after 29 seconds.
MAX_WAIT_SECONDS = 20
#: Waits are counted by the window in which they begin. No wait outlives the window after it, because a window is
#: longer than the function's timeout.
WINDOW_SECONDS = 30


class WaitCounts(Protocol):
    """The waits that go on in all environments, by counter and window.

    ``window`` is the number of a window of ``WINDOW_SECONDS`` since the epoch. A wait whose environment dies counts
    to the end of the next window, and older windows are forgotten.
    """

    def begin(self, counter: str, window: int, most: int) -> bool:
        """Count a wait that begins now; False, and no effect, if ``most`` of this window and the one before go on."""
        ...

    def end(self, counter: str, window: int) -> None:
        """Count a wait no longer that began in this window."""
        ...
