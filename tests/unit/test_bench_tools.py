"""The benchmark's own arithmetic: what it compares, and what it counts on a socket."""

import asyncio
import json

import pytest

from tests.bench.base import side_by_side
from tests.bench.figures import Row, percentile
from tests.bench.socket_client import Arrival, SocketClient, Update


def test_figures_are_compared_with_those_under_the_same_heading() -> None:
    before = [Row("one socket", "10.0"), Row("  ratio", "2.00"), Row("two", "20.0 / 40.0"), Row("  ratio", "4.00")]
    now = [Row("two", "10.0 / 10.0"), Row("  ratio", "1.00", "<= 1.10"), Row("three", "1 ms")]
    lines = [line.split() for line in side_by_side(before, now).splitlines()[1:]]
    assert lines == [
        ["two", "20.0", "/", "40.0", "10.0", "/", "10.0", "0.50", "/", "0.25"],
        ["ratio", "4.00", "1.00", "0.25", "<=", "1.10"],
        ["three", "1", "ms"],
    ]


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([3, 1, 2], share) for share in (0, 0.5, 1)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("stream", "seqs", "expected"),
    [
        ("orderId=1", [1, 2, 2, 1, 3], "new new doubled doubled new"),
        ("orderId=1", [1, 3, 2], "new early new"),
        ("orderId=1", [2, 1], "early new"),
        ("userId=a", [4, 5, 4], "new new doubled"),
        ("userId=a", [4, 6], "new early"),
    ],
)
def test_each_update_is_new_doubled_or_early(stream: str, seqs: list[int], expected: str) -> None:
    arrivals: list[Arrival] = []

    async def receive() -> None:
        client = SocketClient(f"ws://localhost/ws?{stream}", lambda _, arrival: arrivals.append(arrival))
        frames = [{"type": "ORDER_UPDATE", "orderId": "1", "seq": seq, "status": "open"} for seq in seqs]
        texts = [json.dumps(frame).encode() for frame in frames]
        received = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + b"".join(
            bytes([0x81, len(text)]) + text for text in texts
        )
        # Frames come in parts of any size.
        for begin in range(0, len(received), 7):
            client.data_received(received[begin : begin + 7])
        assert [update.seq for update in client.updates] == seqs
        assert all(isinstance(update, Update) for update in client.updates)

    asyncio.run(receive())
    assert [arrival.value for arrival in arrivals] == expected.split()
