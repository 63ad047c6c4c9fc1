"""What a stream of one order must look like from its client's side."""

from collections.abc import Sequence


def stream_violations(seqs: Sequence[int], after_seq: int, last_seq: int) -> list[str]:
    """A frame may come twice, never not at all, and never before the one that precedes it."""
    told = after_seq
    for seq in seqs:
        if seq > told + 1:
            return [f"seq {seq} came when {told} was told last: {list(seqs)}"]
        told = max(told, seq)
    return [] if told == last_seq else [f"told up to {told} of {last_seq}: {list(seqs)}"]
