"""No message is lost between threads, at a restart, or because the disk is full."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from infra.local.durable_queues import DurableQueues
from infra.local.fair_queues import FairQueues
from infra.local.state_file import StateFile
from tests.support.emulator import emulator_module

_ARN = "arn:aws:sqs:us-east-1:000000000000:orders"
_MESSAGES = 1000
#: Messages that wait, so that a pass over the queue takes long enough to meet a send.
_BACKLOG = 1000
_RECEIVERS = 2
_MAX_RECEIVES = 2


class Emulator:
    """The emulator's queues, patched as in its process."""

    def __init__(self, path: Path) -> None:
        self.sqs = emulator_module("services.sqs")
        self.sqs._collect_msgs = FairQueues(self.sqs._collect_msgs)
        self.file = StateFile(path)
        self.queues = DurableQueues(self.sqs, self.file)
        self.queues.install()
        self.dead = self.call("CreateQueue", QueueName="dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": _ARN.replace("orders", "dead"), "maxReceiveCount": _MAX_RECEIVES}
        attributes = {"RedrivePolicy": json.dumps(redrive)}
        self.url = self.call("CreateQueue", QueueName="orders", Attributes=attributes)["QueueUrl"]
        self.queues.restore()

    def call(self, action: str, **request: Any) -> Any:
        return self.sqs._HANDLERS[action](request, request.get("QueueUrl", ""))

    def send(self, body: str, **request: Any) -> str:
        return str(self.call("SendMessage", QueueUrl=self.url, MessageBody=body, **request)["MessageId"])

    def receive(self, count: int = 10) -> list[dict[str, Any]]:
        received: list[dict[str, Any]] = self.sqs._receive_messages_for_esm(self.url, count)
        return received

    def fail(self) -> None:
        """Receive a message and make it visible again."""
        (received,) = self.receive(1)
        handle = received["receipt_handle"]
        self.call("ChangeMessageVisibility", QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)

    def delete(self, messages: list[dict[str, Any]]) -> None:
        self.sqs._delete_messages_for_esm(self.url, {one["receipt_handle"] for one in messages})

    def bodies(self, url: str = "") -> list[str]:
        return [one["body"] for one in self.sqs._get_q(url or self.url)["messages"]]


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Callable[[], Emulator]]:
    """Returns the emulator that starts after the last one was killed."""
    running: list[Emulator] = []

    def start() -> Emulator:
        if running:
            running.pop().file.close()
        running.append(Emulator(tmp_path / "state.sqlite3"))
        return running[-1]

    yield start
    running.pop().file.close()


@pytest.fixture
def emulator(killed: Callable[[], Emulator]) -> Emulator:
    return killed()


@pytest.fixture
def _frequent_thread_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_frequent_thread_switches")
def test_no_message_is_lost_while_threads_send_receive_and_delete(emulator: Emulator) -> None:
    done = Event()

    for _ in range(_BACKLOG):
        emulator.send("later", DelaySeconds=900)

    def consume() -> list[str]:
        ids: list[str] = []
        while (received := emulator.receive()) or not done.is_set():
            emulator.delete(received)
            ids += [one["id"] for one in received]
        return ids

    with ThreadPoolExecutor(_RECEIVERS) as threads:
        consumers = [threads.submit(consume) for _ in range(_RECEIVERS)]
        sent = [emulator.send("now", MessageGroupId=f"user-{number % 3}") for number in range(_MESSAGES)]
        done.set()
        received = [one for consumer in consumers for one in consumer.result()]
    assert sorted(received) == sorted(sent)
    assert emulator.bodies() == ["later"] * _BACKLOG
    assert [one["body"] for one in emulator.file.messages(_ARN)] == ["later"] * _BACKLOG


def test_a_sent_message_survives_a_kill(killed: Callable[[], Emulator]) -> None:
    attributes = {"Trace": {"DataType": "String", "StringValue": "t"}}
    sent = killed().send("a", MessageGroupId="user", MessageAttributes=attributes)
    (received,) = killed().receive()
    assert (received["id"], received["body"], received["group_id"]) == (sent, "a", "user")
    assert received["message_attributes"] == attributes


def test_messages_keep_their_order_at_a_restart(killed: Callable[[], Emulator]) -> None:
    emulator = killed()
    bodies = [str(number) for number in range(12)]
    entries = [{"Id": body, "MessageBody": body} for body in bodies]
    emulator.call("SendMessageBatch", QueueUrl=emulator.url, Entries=entries[:10])
    emulator.call("SendMessageBatch", QueueUrl=emulator.url, Entries=entries[10:])
    assert killed().bodies() == bodies


def test_a_deleted_message_does_not_come_back(killed: Callable[[], Emulator]) -> None:
    emulator = killed()
    for body in "abcd":
        emulator.send(body)
    first, second, third = emulator.receive(3)
    emulator.delete([first])
    emulator.call("DeleteMessage", QueueUrl=emulator.url, ReceiptHandle=second["receipt_handle"])
    entries = [{"Id": "1", "ReceiptHandle": third["receipt_handle"]}]
    emulator.call("DeleteMessageBatch", QueueUrl=emulator.url, Entries=entries)
    assert killed().bodies() == ["d"]


def test_a_purged_queue_stays_empty(killed: Callable[[], Emulator]) -> None:
    emulator = killed()
    emulator.send("a")
    emulator.call("PurgeQueue", QueueUrl=emulator.url)
    assert not killed().bodies()


def test_a_message_in_flight_is_visible_at_once_after_a_restart(killed: Callable[[], Emulator]) -> None:
    emulator = killed()
    emulator.send("a")
    emulator.receive()
    assert not emulator.receive()
    assert [one["body"] for one in killed().receive()] == ["a"]


def test_kills_use_up_no_delivery(killed: Callable[[], Emulator]) -> None:
    killed().send("a")
    for _ in range(2 * _MAX_RECEIVES):
        assert [one["receive_count"] for one in killed().receive()] == [1]


def test_failed_deliveries_count_after_a_restart(killed: Callable[[], Emulator]) -> None:
    emulator = killed()
    emulator.send("a")
    emulator.fail()
    emulator.receive()
    assert [one["receive_count"] for one in killed().receive()] == [2]


def test_a_delayed_message_keeps_its_delay_at_a_restart(killed: Callable[[], Emulator]) -> None:
    killed().send("a", DelaySeconds=900)
    emulator = killed()
    assert not emulator.receive()
    assert emulator.bodies() == ["a"]


def test_a_dead_letter_is_in_the_dead_letter_queue_alone_after_a_restart(killed: Callable[[], Emulator]) -> None:
    emulator = killed()
    emulator.send("a")
    for _ in range(_MAX_RECEIVES):
        emulator.fail()
    assert not emulator.receive()
    emulator = killed()
    assert (emulator.bodies(), emulator.bodies(emulator.dead)) == ([], ["a"])


def test_a_message_that_cannot_be_stored_is_refused_and_not_delivered(
    killed: Callable[[], Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = killed()

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(emulator.file, "_write", full)
        with pytest.raises(emulator.sqs._Err) as refused:
            emulator.send("a")
    assert refused.value.status == 500
    assert not emulator.receive()
    assert not killed().bodies()


def test_a_deletion_on_a_full_disk_succeeds_until_the_restart(
    killed: Callable[[], Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = killed()
    emulator.send("a")

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(emulator.file, "_write", full)
    emulator.delete(emulator.receive())
    assert not emulator.bodies()
    assert killed().bodies() == ["a"]


def test_the_saved_definition_of_a_queue_has_no_messages(emulator: Emulator) -> None:
    emulator.send("a")
    saved = emulator.queues.definitions()["queues"].all_values()
    assert [one["messages"] for one in saved] == [[], []]
    assert emulator.bodies() == ["a"]
