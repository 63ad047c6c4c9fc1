"""Keeps the messages of the emulator's SQS queues in a file, and loses none of them between threads.

The emulator appends messages to a list on its main thread while other threads replace the list by one without the
deleted messages, so that a message sent at the wrong moment is in neither. This module runs one change at a time. It
writes a sent message to the file before the emulator answers. The emulator's process imports this file, which must
therefore not import this package.
"""

import inspect
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.state_file import Message, StateFile

Queue = dict[str, Any]


class DurableQueues:
    """Replaces functions of the emulator's SQS module, ``sqs``."""

    #: The functions of that module that this class replaces, and the names that it uses.
    NEEDED = (
        *("_act_send_message", "_act_delete_message", "_act_delete_message_batch", "_act_purge_queue"),
        *("_collect_msgs", "_expire_retained", "_dlq_sweep", "_delete_messages_for_esm", "get_state"),
        *("_HANDLERS", "_queues", "_queues_lock", "_get_q", "_Err"),
    )

    def __init__(self, sqs: Any, file: "StateFile") -> None:
        self._sqs = sqs
        self._file = file
        self._lock = RLock()
        self._originals = {name: getattr(sqs, name) for name in self.NEEDED}

    def install(self) -> None:
        replaced = {
            "_act_send_message": self.send,
            **{name: self._removing(name) for name in ("_act_delete_message", "_act_delete_message_batch")},
            **{name: self._removing(name) for name in ("_act_purge_queue", "_expire_retained")},
            "_delete_messages_for_esm": self._removing("_delete_messages_for_esm"),
            "_dlq_sweep": self.sweep,
            "_collect_msgs": self.receive,
            "_queues_lock": self._lock,
            "get_state": self.definitions,
        }
        for action, handler in self._sqs._HANDLERS.items():
            # A receive waits for messages without the lock, and calls functions that take it.
            if not inspect.iscoroutinefunction(handler):
                self._sqs._HANDLERS[action] = replaced.get(handler.__name__) or self._locked(handler)
        for name, function in replaced.items():
            setattr(self._sqs, name, function)

    def restore(self) -> None:
        """Read the messages of all queues that the emulator has.

        A message that was in flight is visible at once: its receiver died with the emulator. That delivery does not
        count, so that no number of kills makes a dead letter of it.
        """
        with self._lock:
            for queue in self._sqs._queues.all_values():
                queue["messages"] = self._file.messages(_arn(queue))
                for message in queue["messages"]:
                    if message["receive_count"]:
                        message["visible_at"] = message["sent_at"]
                        message["receive_count"] -= 1

    def definitions(self) -> dict[str, Any]:
        """Return what the emulator saves of its queues, without the messages."""
        with self._lock:
            state: dict[str, Any] = self._originals["get_state"]()
        for queue in state["queues"].all_values():
            queue["messages"] = []
        return state

    def send(self, request: dict[str, Any], url: str) -> Any:
        """:raises _Err: the emulator's own, if the message cannot be stored; it is in no queue then."""
        with self._lock:
            queue = self._queue(request, url)
            number = len(queue["messages"])
            answer = self._originals["_act_send_message"](request, url)
            try:
                self._file.put_messages(_arn(queue), queue["messages"][number:])
            except sqlite3.Error as error:
                del queue["messages"][number:]
                raise self._sqs._Err("InternalError", f"Not stored: {error}", 500) from error
            return answer

    def receive(self, queue: Queue, max_messages: int, visibility_seconds: int) -> "list[Message]":
        with self._lock:
            received: list[Message] = self._originals["_collect_msgs"](queue, max_messages, visibility_seconds)
            if received:
                with _at_least_once():
                    self._file.receive_messages(received)
            return received

    def sweep(self, queue: Queue) -> None:
        """Move messages that were received too often to the dead-letter queue."""
        with self._lock:
            before = list(queue["messages"])
            self._originals["_dlq_sweep"](queue)
            if moved := _gone(before, queue["messages"]):
                for other in self._sqs._queues.all_values():
                    with _at_least_once():
                        self._file.put_messages(_arn(other), [one for one in other["messages"] if one["id"] in moved])

    def _removing(self, name: str) -> Callable[..., Any]:
        """Return the function of this name that also removes from the file the messages that leave its queue."""
        original = self._originals[name]

        def remove(*arguments: Any) -> Any:
            with self._lock:
                queue = self._queue(*arguments)
                before = list(queue["messages"])
                answer = original(*arguments)
                if gone := _gone(before, queue["messages"]):
                    with _at_least_once():
                        self._file.remove_messages(gone)
                return answer

        return remove

    def _locked(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def handle(*arguments: Any) -> Any:
            with self._lock:
                return handler(*arguments)

        return handle

    def _queue(self, subject: Any, other: Any = None) -> Queue:
        """Return the queue that the emulator's functions name by itself, by its address, or in a request."""
        if isinstance(subject, dict) and "messages" in subject:
            return subject
        address = subject if isinstance(subject, str) else subject.get("QueueUrl", other)
        found: Queue = self._sqs._get_q(address)
        return found


def _arn(queue: Queue) -> str:
    return str(queue["attributes"]["QueueArn"])


def _gone(before: "list[Message]", after: "list[Message]") -> set[str]:
    """Return the ids of the messages that have left a queue."""
    if len(before) == len(after):
        return set()
    return {one["id"] for one in before} - {one["id"] for one in after}


@contextmanager
def _at_least_once() -> Iterator[None]:
    """Let a receive or a deletion succeed in memory if the file is full: after a restart the message comes again."""
    try:
        yield
    except sqlite3.Error as error:
        logging.getLogger("sqs").error("A receive or deletion cannot be stored: %s", error)
