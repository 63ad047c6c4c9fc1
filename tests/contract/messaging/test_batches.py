"""Batches from SQS: each message succeeds or fails on its own, and no error ends the worker."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest

from chalicelib.codec.messages import PoisonMessageError
from chalicelib.consumers.batch import FAILURE_PAUSE_SECONDS, failure_pause_seconds, process_batch
from tests.support.lines import engine_lines


class Held:
    """Records the holds; ``down`` makes them fail as SQS may."""

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
def test_a_processed_message_is_not_delivered_again(count: int) -> None:
    held = Held()
    assert failures(process_batch(batch(count), lambda record: None, held)) == []
    assert held.calls == []


def test_only_the_failed_message_of_ten_is_delivered_again() -> None:
    def handle(record: Any) -> None:
        if record["messageId"] == "m3":
            raise RuntimeError("no")

    held = Held()
    assert failures(process_batch(batch(10), handle, held)) == ["m3"]
    assert held.calls == [("r3", FAILURE_PAUSE_SECONDS)], (
        "the queue delivers it again long before the message of a lost worker"
    )


def test_the_pause_of_a_failing_message_doubles_up_to_ten_minutes() -> None:
    assert list(map(failure_pause_seconds, range(1, 11))) == [15, 30, 60, 120, 240, 480, 600, 600, 600, 600]


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("error", [RuntimeError(), KeyError("x"), TimeoutError(), MemoryError(), RecursionError()])
def test_no_exception_ends_the_worker(count: int, error: Exception) -> None:
    all_ids = [f"m{number}" for number in range(count)]
    assert failures(process_batch(batch(count), failing(error), Held())) == all_ids


@pytest.mark.parametrize(
    ("seconds", "held_for"), [(0, 0), (0.0, 0), (0.01, 1), (1, 1), (1.0, 1), (1.2, 2), (19.999, 20)]
)
def test_a_retry_is_held_for_whole_seconds_rounded_up(seconds: float, held_for: int) -> None:
    held = Held()
    assert failures(process_batch(batch(1), lambda record: seconds, held)) == ["m0"]
    assert held.calls == [("r0", held_for)]


def test_each_message_of_a_batch_has_its_own_pause() -> None:
    waits = {"m0": 2.5, "m1": None, "m2": 7.0}
    held = Held()
    assert failures(process_batch(batch(3), lambda record: waits[record["messageId"]], held)) == ["m0", "m2"]
    assert sorted(held.calls) == [("r0", 3), ("r2", 7)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_failure_whose_hold_is_lost_does_not_end_the_worker(count: int) -> None:
    all_ids = [f"m{number}" for number in range(count)]
    assert failures(process_batch(batch(count), failing(RuntimeError()), Held(down=True))) == all_ids


def test_poison_goes_to_the_dead_letter_queue_without_a_pause() -> None:
    held = Held()
    with engine_lines() as lines:
        assert failures(process_batch(batch(1), failing(PoisonMessageError("not JSON")), held)) == ["m0"]
    assert held.calls == [("r0", 0)]
    assert [(line["level"], line["message"], line["messageId"]) for line in lines] == [
        ("ERROR", "poison message", "m0")
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_a_retry_whose_hold_is_lost_still_counts_as_failed(count: int) -> None:
    all_ids = [f"m{number}" for number in range(count)]
    assert failures(process_batch(batch(count), lambda record: 5.0, Held(down=True))) == all_ids


@pytest.mark.parametrize("count", [1, 3])
def test_poison_whose_hold_is_lost_does_not_end_the_worker(count: int) -> None:
    """An ended worker would make SQS deliver the whole batch again."""
    all_ids = [f"m{number}" for number in range(count)]
    held = Held(down=True)
    assert failures(process_batch(batch(count), failing(PoisonMessageError("not JSON")), held)) == all_ids


def test_a_batch_is_processed_in_parallel() -> None:
    together = Barrier(10, timeout=5)

    def handle(record: Any) -> None:
        together.wait()  # breaks, and fails the message, unless all ten are here at once

    assert failures(process_batch(batch(10), handle, Held())) == []
