"""A batch from SQS: each message is done or failed for itself, and nothing ends the worker."""

import logging
from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest

from chalicelib.codec.messages import PoisonMessageError
from chalicelib.consumers.batch import FAILED_SECONDS, process_batch


class Held:
    """Remembers what was held back; ``down`` makes it fail as SQS may."""

    def __init__(self, down: bool = False) -> None:
        self.calls: list[tuple[str, int]] = []
        self.down = down

    def __call__(self, receipt: str, seconds: int) -> None:
        if self.down:
            raise ConnectionError("SQS does not answer")
        self.calls.append((receipt, seconds))


def batch(count: int) -> dict[str, Any]:
    records = [{"messageId": f"m{n}", "receiptHandle": f"r{n}", "body": f"b{n}"} for n in range(count)]
    return {"Records": records}


def failures(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    assert list(answer) == ["batchItemFailures"]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def failing(error: Exception) -> Callable[[Any], None]:
    def handle(record: Any) -> None:
        raise error

    return handle


@pytest.mark.parametrize("count", [0, 1, 10])
def test_what_is_done_is_not_delivered_again(count: int) -> None:
    held = Held()
    assert failures(process_batch(batch(count), lambda record: None, held)) == []
    assert held.calls == []


def test_one_that_fails_among_ten_is_the_only_one_delivered_again() -> None:
    def handle(record: Any) -> None:
        if record["messageId"] == "m3":
            raise RuntimeError("no")

    held = Held()
    assert failures(process_batch(batch(10), handle, held)) == ["m3"]
    assert held.calls == [("r3", FAILED_SECONDS)], "it comes again long before a lost worker's message would"


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("error", [RuntimeError(), KeyError("x"), TimeoutError(), MemoryError(), RecursionError()])
def test_no_exception_ends_the_worker(count: int, error: Exception) -> None:
    everyone = [f"m{number}" for number in range(count)]
    assert failures(process_batch(batch(count), failing(error), Held())) == everyone


@pytest.mark.parametrize(
    ("seconds", "held_for"), [(0, 0), (0.0, 0), (0.01, 1), (1, 1), (1.0, 1), (1.2, 2), (19.999, 20)]
)
def test_a_retry_waits_whole_seconds_and_never_too_short(seconds: float, held_for: int) -> None:
    held = Held()
    assert failures(process_batch(batch(1), lambda record: seconds, held)) == ["m0"]
    assert held.calls == [("r0", held_for)]


def test_each_of_a_batch_waits_as_long_as_itself_asks_for() -> None:
    waits = {"m0": 2.5, "m1": None, "m2": 7.0}
    held = Held()
    assert failures(process_batch(batch(3), lambda record: waits[record["messageId"]], held)) == ["m0", "m2"]
    assert sorted(held.calls) == [("r0", 3), ("r2", 7)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_failure_whose_hold_is_lost_does_not_end_the_worker(count: int) -> None:
    everyone = [f"m{number}" for number in range(count)]
    assert failures(process_batch(batch(count), failing(RuntimeError()), Held(down=True))) == everyone


def test_poison_goes_on_to_the_dead_letters_without_waiting(caplog: pytest.LogCaptureFixture) -> None:
    held = Held()
    assert failures(process_batch(batch(1), failing(PoisonMessageError("not JSON")), held)) == ["m0"]
    assert held.calls == [("r0", 0)]
    [logged] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (logged.getMessage(), logged.__dict__["messageId"]) == ("poison message", "m0")


@pytest.mark.parametrize("count", [1, 3])
def test_a_retry_whose_hold_is_lost_still_counts_as_failed(count: int) -> None:
    everyone = [f"m{number}" for number in range(count)]
    assert failures(process_batch(batch(count), lambda record: 5.0, Held(down=True))) == everyone


@pytest.mark.parametrize("count", [1, 3])
def test_poison_whose_hold_is_lost_does_not_end_the_worker(count: int) -> None:
    """Ending it would deliver the whole batch again, what is done included."""
    everyone = [f"m{number}" for number in range(count)]
    held = Held(down=True)
    assert failures(process_batch(batch(count), failing(PoisonMessageError("not JSON")), held)) == everyone


def test_a_batch_is_worked_on_side_by_side() -> None:
    together = Barrier(10, timeout=5)

    def handle(record: Any) -> None:
        together.wait()  # breaks, and fails the message, unless all ten are here at once

    assert failures(process_batch(batch(10), handle, Held())) == []
