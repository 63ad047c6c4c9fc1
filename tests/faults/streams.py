"""Checks of the frames that a client received on the stream of an order."""

from collections.abc import Sequence


def stream_violations(seqs: Sequence[int], after_seq: int, last_seq: int) -> list[str]:
    """Report gaps and a missing last frame. A frame may arrive twice, but never before its predecessor."""
    last_seen = after_seq
    for seq in seqs:
        if seq > last_seen + 1:
            return [f"seq {seq} came right after seq {last_seen}: {list(seqs)}"]
        last_seen = max(last_seen, seq)
    return [] if last_seen == last_seq else [f"ends at seq {last_seen} of {last_seq}: {list(seqs)}"]
