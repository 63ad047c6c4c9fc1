"""Work on several threads at once leaves none of it running."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from chalicelib.threads import side_by_side


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def test_results_have_the_order_of_the_items(executor: ThreadPoolExecutor) -> None:
    together = Barrier(4, timeout=10)

    def squared(number: int) -> int:
        together.wait()
        return number**2

    assert side_by_side(executor, squared, range(8)) == [number**2 for number in range(8)]


def test_items_that_cannot_be_read_leave_no_call_running(executor: ThreadPoolExecutor) -> None:
    begun, answered = Event(), Event()
    outlived: list[bool] = []

    def work(_: int) -> None:
        begun.set()
        outlived.append(answered.wait(0.3))

    def items() -> Iterator[int]:
        yield 1
        assert begun.wait(10)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        side_by_side(executor, work, items())
    answered.set()
    assert outlived == [False]
