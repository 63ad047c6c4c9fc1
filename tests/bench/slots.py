"""The utilization of the processor's slots, from the start and end of each order.

A count of completions between two moments misjudges the ten orders in flight at either edge: all slots start at once
and stay nearly in step, and ten orders are a tenth of the count. This module measures whole cycles instead: a cycle
lasts from the start of an order to the start of the slot's next order, and so contains the order and the gap after
it. The events do not identify slots, but the sum of the cycles is the same for every matching of starts to ends: the
n-th end is matched to the n-th start after the first ten.

Ramp-up is excluded with each slot's first cycle, which contains the cold start. The drain is excluded because the
last ten ends have no next start; as long as an end has one, every slot has work.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """An order in its slot, in seconds; ``venue`` is the time that it waited for venues."""

    began: float
    ended: float
    venue: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """An order, and the start of its slot's next order."""

    span: Span
    next_began: float

    @property
    def seconds(self) -> float:
        return self.next_began - self.span.began


def full_cycles(spans: Sequence[Span], slots: int) -> list[Cycle]:
    """The cycles between ramp-up and drain; empty if there are too few orders."""
    by_beginning = sorted(spans, key=lambda span: span.began)
    by_ending = sorted(spans, key=lambda span: span.ended)
    first = {id(span) for span in by_beginning[:slots]}
    followed = zip(by_ending, by_beginning[slots:], strict=False)
    return [Cycle(span, after.began) for span, after in followed if id(span) not in first]


def most_in_flight(spans: Sequence[Span]) -> int:
    """The maximum number of orders in flight at one time."""
    steps = sorted([(span.began, 1) for span in spans] + [(span.ended, -1) for span in spans])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most
