"""``oe listen``: signatures, repeats, and a cursor that never passes what is not acknowledged."""

import base64
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from orderengine import Client, Update
from orderengine.cli.exits import Exit, Stop
from orderengine.cli.feed import Feed
from orderengine.cli.webhooks.bridge import Bridge
from orderengine.cli.webhooks.cursor_file import CursorFile, Place, default_path
from orderengine.cli.webhooks.message import Message, headers_of, key_of, message_of, signature
from orderengine.cli.webhooks.receiver import Receiver
from orderengine.core.commands import Response
from orderengine.core.exact_json import loads
from orderengine.errors import InvalidArgument
from tests.client.cli.collector import Collector, collecting
from tests.client.cli.conftest import Run
from tests.client.cli.fake_engine import LIFE

ROOT = Path(__file__).parents[3]
#: The vector of the tests of Standard Webhooks' own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
_KILLS = 3
LISTENER = "b at http://x to http://y"


def updates() -> list[Update]:
    return [Update.read({**loads(text)}) for text in LIFE]


class VirtualClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class ScriptedReceiver:
    """Answers each post with the next of these; an OSError stands for no answer."""

    def __init__(self, *answers: int | OSError, headers: Mapping[str, str] | None = None) -> None:
        self.posted: list[tuple[bytes, Mapping[str, str]]] = []
        self._answers = list(answers)
        self._headers = headers or {}

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> Response:
        self.posted.append((body, headers))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, OSError):
            raise answer
        return Response(answer, self._headers, b"")


def receiver(
    post: ScriptedReceiver,
    clock: VirtualClock,
    retry_seconds: float = 600,
    failing: Callable[[str, str], None] | None = None,
) -> Receiver:
    return Receiver(post, key_of(SECRET), retry_seconds, failing or (lambda *_: None), clock)


def test_a_signature_is_that_of_standard_webhooks() -> None:
    assert signature(VECTOR, key_of(SECRET), 1614265330) == SIGNATURE
    assert headers_of(VECTOR, key_of(SECRET), 1614265330) == {
        "content-type": "application/json",
        "webhook-id": VECTOR.id,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }
    assert "webhook-signature" not in headers_of(VECTOR, None, 1614265330)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "ä", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec"])
def test_a_secret_that_is_no_base64_is_refused(secret: str) -> None:
    with pytest.raises(InvalidArgument):
        key_of(secret)


def test_a_secret_needs_no_padding() -> None:
    assert key_of("whsec_" + base64.b64encode(b"12345").decode().rstrip("=")) == b"12345"


def test_a_webhook_has_the_frame_with_every_digit() -> None:
    message = message_of(updates()[-1])
    assert message.id.endswith(":6")
    whole = json.loads(message.body)
    assert (whole["type"], whole["data"]["type"]) == ("order.confirmed", "ORDER_UPDATE")
    assert b"101.56454600000000000000001" in message.body


def test_a_delivery_is_repeated_with_the_same_id_and_body_until_a_2xx() -> None:
    post, clock = ScriptedReceiver(500, OSError("refused"), 302, 404, 204), VirtualClock()
    assert receiver(post, clock).deliver(VECTOR) == 204
    assert {(body, headers["webhook-id"]) for body, headers in post.posted} == {(VECTOR.body, VECTOR.id)}
    assert len(post.posted) == 5


def test_a_repeat_waits_as_long_as_the_receiver_asks() -> None:
    post, clock = ScriptedReceiver(503, 204, headers={"retry-after": "60"}), VirtualClock()
    receiver(post, clock).deliver(VECTOR)
    assert clock.now == 1060
    assert post.posted[1][1]["webhook-timestamp"] == "1060"


def test_a_receiver_that_is_gone_ends_it_at_once() -> None:
    post = ScriptedReceiver(410)
    with pytest.raises(Stop) as stopped:
        receiver(post, VirtualClock()).deliver(VECTOR)
    assert (stopped.value.code, len(post.posted)) == ("RECEIVER_GONE", 1)


def test_a_receiver_that_does_not_acknowledge_in_time_ends_it() -> None:
    clock = VirtualClock()
    with pytest.raises(Stop) as stopped:
        receiver(ScriptedReceiver(500), clock, retry_seconds=60).deliver(VECTOR)
    assert (stopped.value.code, stopped.value.exit_code) == ("NOT_DELIVERED", Exit.LATER)
    assert clock.now <= 1060


def test_a_cursor_is_replaced_as_a_whole(tmp_path: Path) -> None:
    with CursorFile(tmp_path / "deep" / "cursor", LISTENER) as file:
        assert file.load() is None
        file.save(Place(LISTENER, "t"))
        file.save(Place(LISTENER, "t", "c2"))
        assert file.load() == Place(LISTENER, "t", "c2")


def test_a_write_that_fails_leaves_the_old_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with CursorFile(tmp_path / "cursor", LISTENER) as file:
        file.save(Place(LISTENER, "t", "c1"))
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            file.save(Place(LISTENER, "t", "c2"))
        assert file.load() == Place(LISTENER, "t", "c1")


def test_a_second_listener_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    with CursorFile(path, LISTENER):
        with pytest.raises(Stop) as stopped, CursorFile(path, LISTENER):
            raise AssertionError
        assert stopped.value.code == "CURSOR_LOCKED"
    with CursorFile(path, LISTENER):
        """The first one has ended."""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '"x"'])
def test_a_file_that_is_no_cursor_is_never_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cursor"
    path.write_text(text)
    with CursorFile(path, LISTENER) as file, pytest.raises(Stop) as stopped:
        file.load()
    assert stopped.value.code == "CURSOR_UNREADABLE"


def test_a_cursor_of_another_listener_is_refused(tmp_path: Path) -> None:
    with CursorFile(tmp_path / "cursor", LISTENER) as file:
        file.save(Place("a at http://x to http://y"))
        with pytest.raises(Stop) as stopped:
            file.load()
    assert stopped.value.code == "CURSOR_OF_ANOTHER"


def test_each_listener_has_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path("a").parent == tmp_path / "orderengine"
    assert default_path("a") != default_path("b")


class LifeFeed:
    cursor = "0"

    def __iter__(self) -> Iterator[Update]:
        for update in updates():
            yield update
            self.cursor = str(update.seq)


@contextmanager
def follow_life(_: Place) -> Iterator[Feed]:
    yield LifeFeed()


def test_the_cursor_never_passes_an_event_that_is_not_acknowledged(tmp_path: Path) -> None:
    post = ScriptedReceiver(204, 204, 204, 410)
    with CursorFile(tmp_path / "cursor", LISTENER) as file:
        bridge = Bridge(file, follow_life, receiver(post, VirtualClock()), lambda *_: None)
        with pytest.raises(Stop):
            bridge.run(Place(LISTENER, "t"))
        assert file.load() == Place(LISTENER, "t", "2", ":3")


def test_an_event_that_was_acknowledged_does_not_come_again_after_a_restart(tmp_path: Path) -> None:
    post = ScriptedReceiver(204)
    with CursorFile(tmp_path / "cursor", LISTENER) as file:
        bridge = Bridge(file, follow_life, receiver(post, VirtualClock()), lambda *_: None)
        bridge.run(Place(LISTENER, "t", "0", ":1"))
    assert [headers["webhook-id"] for _, headers in post.posted] == [":2", ":3", ":4", ":5", ":6"]


def test_a_new_listener_remembers_where_it_began_before_the_first_event(tmp_path: Path) -> None:
    with CursorFile(tmp_path / "cursor", LISTENER) as file:
        bridge = Bridge(file, follow_life, receiver(ScriptedReceiver(410), VirtualClock()), lambda *_: None)
        with pytest.raises(Stop):
            bridge.run(Place(LISTENER, "t"))
        assert file.load() == Place(LISTENER, "t")


def test_a_full_disk_says_what_was_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saves = iter([None, None, OSError(errno.ENOSPC, "No space left on device")])

    def save(self: CursorFile, place: Place) -> None:
        if failure := next(saves):
            raise failure

    monkeypatch.setattr(CursorFile, "save", save)
    with CursorFile(tmp_path / "cursor", LISTENER) as file:
        bridge = Bridge(file, follow_life, receiver(ScriptedReceiver(204), VirtualClock()), lambda *_: None)
        with pytest.raises(Stop) as stopped:
            bridge.run(Place(LISTENER, "t"))
    assert (stopped.value.code, stopped.value.exit_code) == ("CURSOR_NOT_SAVED", Exit.LATER)
    assert "up to" in stopped.value.detail
    assert ":2 was delivered; the next start repeats at most this one event" in stopped.value.detail


def listener(collector: Collector, cursor: Path, last: int, *flags: str) -> "subprocess.Popen[bytes]":
    paths = f"{ROOT}{os.pathsep}{ROOT / 'client' / 'src'}"
    environment = {**os.environ, "PYTHONPATH": paths, "LAST_EVENT": str(last), "OE_WEBHOOK_SECRET": SECRET}
    words = ["listen", "--forward-to", collector.url, "--cursor", str(cursor), "--since", "2026-12-01T00:00:00Z"]
    command = [sys.executable, "-m", "tests.client.cli.scripted_listener", *words, *flags]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_listener_that_is_killed_at_random_loses_nothing(tmp_path: Path) -> None:
    last, cursor, chance = 150, tmp_path / "cursor", random.Random("kills")
    with collecting() as collector:
        for _ in range(_KILLS):
            process = listener(collector, cursor, last)
            came = len(collector.ids)
            while len(collector.ids) < came + 5 and process.poll() is None:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        final = listener(collector, cursor, last)
        _, told = final.communicate(timeout=20)
        assert final.returncode == 0, told
    numbers = [int(name.rpartition(":")[2]) for name in collector.ids]
    assert sorted(set(numbers)) == list(range(1, last + 1))
    # A repeat comes right after its first delivery, once for each kill at most, and is the same.
    assert all(after - before in (0, 1) for before, after in pairwise(numbers))
    assert len(numbers) <= last + _KILLS
    assert all(len(bodies) == 1 for bodies in collector.bodies.values())


def test_a_cursor_on_a_full_disk_ends_a_listener_with_3(tmp_path: Path) -> None:
    with collecting() as collector:
        (tmp_path / "cursor.new").symlink_to("/dev/full")
        process = listener(collector, tmp_path / "cursor", 3)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 3
    assert json.loads(told)["code"] == "CURSOR_NOT_SAVED"
    assert collector.ids == []


def test_an_interrupted_listener_says_what_was_delivered(tmp_path: Path) -> None:
    with collecting(lambda name: 503 if name.endswith(":3") else 204) as collector:
        process = listener(collector, tmp_path / "cursor", 3)
        assert process.stderr is not None
        # The listener has the receiver's answer once it reports it.
        reported = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    *failing, end = map(json.loads, [reported, *told.splitlines()])
    assert [one["code"] for one in failing] == ["RECEIVER_FAILS"]
    assert failing[0]["detail"].startswith(":3: HTTP 503. Try 2 follows in ")
    assert end["delivered"].endswith(":2")
    assert end["command"].startswith("oe listen --forward-to http://127.0.0.1:")


def test_a_failing_receiver_is_told_at_first_then_once_a_minute_and_when_it_recovers() -> None:
    told: list[tuple[float, str, str]] = []
    post, clock = ScriptedReceiver(*[503] * 8, 204, headers={"retry-after": "20"}), VirtualClock()
    receiver(post, clock, failing=lambda *note: told.append((clock.now, *note))).deliver(VECTOR)
    assert told == [
        (1000, "RECEIVER_FAILS", f"{VECTOR.id}: HTTP 503. Try 2 follows in 20.0 s."),
        (1060, "RECEIVER_FAILS", f"{VECTOR.id}: HTTP 503. Try 5 follows in 20.0 s."),
        (1120, "RECEIVER_FAILS", f"{VECTOR.id}: HTTP 503. Try 8 follows in 20.0 s."),
        (1160, "RECEIVER_RECOVERED", f"{VECTOR.id} is delivered, at try 9."),
    ]


def test_an_event_that_is_not_delivered_says_where_the_cursor_is_and_how_to_go_on(tmp_path: Path) -> None:
    with collecting(lambda _: 503) as collector:
        process = listener(collector, tmp_path / "cursor", 3, "--retry-for", "1s")
        _, told = process.communicate(timeout=20)
    end = json.loads(told.splitlines()[-1])
    assert (process.returncode, end["code"]) == (3, "NOT_DELIVERED")
    assert "The cursor stays before this event." in end["detail"]
    command = f"oe listen --forward-to {collector.url} --cursor {tmp_path / 'cursor'} --retry-for 1s"
    assert end["command"] == command


def test_one_try_is_one_try() -> None:
    with pytest.raises(Stop, match="in 1 try; the last one got HTTP 500"):
        receiver(ScriptedReceiver(500, headers={"retry-after": "90"}), VirtualClock(), 60).deliver(VECTOR)


@pytest.mark.parametrize(("since", "code"), [("2026-12-01T12:00:05Z", 2), ("2026-12-01T11:00:00Z", 0), ("1h", 0)])
def test_a_cursor_never_begins_at_a_time_to_come(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, since: str, code: int
) -> None:
    @contextmanager
    def nothing(self: Client, **place: str) -> Iterator[Iterator[Update]]:
        yield iter(())

    monkeypatch.setattr(Client, "follow", nothing)
    file = tmp_path / "cursor"
    result = run("listen", "--forward-to", "http://x/y", "--cursor", str(file), "--since", since)
    assert result.exit_code == code
    assert not file.exists() if code else json.loads(file.read_text())["since"].startswith("2026-12-01T11:00:00")


def test_a_cursor_that_the_feed_refuses_is_told_with_its_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(self: Client, **_: str) -> None:
        raise InvalidArgument("cursor is 'v9', and not the cursor of a feed")

    monkeypatch.setattr(Client, "follow", refuse)
    file = tmp_path / "cursor"
    file.write_text(json.dumps({"listener": "the user at http://localhost:8000 to http://x/y", "cursor": "v9"}))
    result = run("listen", "--forward-to", "http://x/y", "--cursor", str(file), "--table")
    assert result.exit_code == 2
    assert f"{file}: cursor is 'v9'" in result.stderr
