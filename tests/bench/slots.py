"""How busy the processor's slots were, from when each order was begun and ended.

Counting completions between two moments would misjudge the ten orders that are under way at either edge: after
a start all at once the slots move nearly in step, and ten orders are a tenth of what is counted. So whole cycles
are measured instead: from the moment a slot begins an order to the moment it begins its next one, which contains
the order and all that passes until the slot is at work again. A slot cannot be told from another, but the sum of
the cycles is the same however the beginnings are matched to the endings, so the n-th ending is matched to the
n-th beginning after the first ten.

Ramp-up is left out with each slot's first cycle (cold starts fall into it), and so is the drain: the last ten
endings have no next beginning, and while there is one, all slots have work.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """One order in its slot, in seconds; ``venue`` of them were spent waiting for the venues."""

    began: float
    ended: float
    venue: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """One order, and when its slot began the next one."""

    span: Span
    next_began: float

    @property
    def seconds(self) -> float:
        return self.next_began - self.span.began


def full_cycles(spans: Sequence[Span], slots: int) -> list[Cycle]:
    """The cycles between ramp-up and drain; none if there were too few orders."""
    by_beginning = sorted(spans, key=lambda span: span.began)
    by_ending = sorted(spans, key=lambda span: span.ended)
    first = {id(span) for span in by_beginning[:slots]}
    followed = zip(by_ending, by_beginning[slots:], strict=False)
    return [Cycle(span, after.began) for span, after in followed if id(span) not in first]


def most_in_flight(spans: Sequence[Span]) -> int:
    """The most orders that were under way at the same moment."""
    steps = sorted([(span.began, 1) for span in spans] + [(span.ended, -1) for span in spans])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most
