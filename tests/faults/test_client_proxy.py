"""The proxy before the clients takes the frames of a server apart, whatever their sizes."""

import pytest

from tests.faults.client_proxy import taken_frames


def frame(payload: bytes) -> bytes:
    if len(payload) < 126:
        return bytes([0x81, len(payload)]) + payload
    if len(payload) < 1 << 16:
        return bytes([0x81, 126]) + len(payload).to_bytes(2, "big") + payload
    return bytes([0x81, 127]) + len(payload).to_bytes(8, "big") + payload


@pytest.mark.parametrize("part", [1, 3, 1000, 1 << 20])
def test_frames_are_taken_once_they_are_complete(part: int) -> None:
    sent = [frame(b"x" * size) for size in (0, 1, 125, 126, 1 << 16)]
    stream, buffer, taken = b"".join(sent), bytearray(), list[bytes]()
    for start in range(0, len(stream), part):
        buffer += stream[start : start + part]
        taken += taken_frames(buffer)
    assert taken == sent
    assert not buffer
