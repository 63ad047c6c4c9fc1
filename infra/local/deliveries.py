"""When the emulator delivers the messages of its queues to functions.

The emulator's process imports this file, which must therefore not import this package.
"""

from collections.abc import Callable
from typing import Any

#: The poller looks again this often for messages whose delay or visibility timeout has ended.
_POLL_SECONDS = 0.1
#: The poller's pause after it was woken for nothing, as by the end of each invocation.
_PAUSE_SECONDS = 0.002


class Deliveries:
    """Delivers messages to functions only from the end of the deployment on, and then at once.

    A deployment ends running workers, and the message of such an invocation stays hidden for its visibility timeout.
    Before a deployment the functions may also have the addresses of the last run.

    The emulator's poller pauses for 50 ms after each invocation, and looks once a second for messages that become
    visible. The pollers of AWS receive messages in the moment in which they become visible.
    """

    NEEDED = ("_poll_sqs", "_esm_wake", "_ESM_IDLE_WAKE_GAP_SECONDS")

    def __init__(self, functions: Any) -> None:
        self._functions = functions
        self._poll: Callable[[], bool] = functions._poll_sqs
        self._wait: Callable[[float], bool] = functions._esm_wake.wait
        self._deployed = False

    def install(self) -> None:
        self._functions._poll_sqs = self.poll
        self._functions._esm_wake.wait = self.wait
        self._functions._ESM_IDLE_WAKE_GAP_SECONDS = _PAUSE_SECONDS

    def start(self) -> None:
        self._deployed = True

    def poll(self) -> bool:
        return self._deployed and self._poll()

    def wait(self, seconds: float) -> bool:
        return self._wait(min(seconds, _POLL_SECONDS))
