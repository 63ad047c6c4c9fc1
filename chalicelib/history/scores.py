"""How well an order was executed: the columns of ``orders`` that statistics sum up.

Computed from the events when the order is recorded, so that statistics read neither events nor quotes.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from chalicelib.codec.times import to_text
from chalicelib.domain.events import AttemptStarted, Confirmed, Event, EventData, QuotesReceived, Submitted
from chalicelib.domain.money import percent
from chalicelib.domain.orders import Order

#: Decimal places of the routing gain; averages show four.
_GAIN_PLACES = 8
#: The largest ``integer`` of Postgres, which refuses a larger one with its whole row.
_MAX_INTEGER = 2**31 - 1


def score_row(order: Order) -> dict[str, Any]:
    """The columns of an order's score. Those of a fill are ``None`` unless the order is confirmed."""
    started = next((event for event in order.events if isinstance(event.data, AttemptStarted)), None)
    return {
        "started_at": started and to_text(started.at),
        # Null takes no space in the indexes, and few orders have either.
        "missed_triggers": order.missed_triggers or None,
        "retry_codes": _retry_codes(order.events) or None,
        **_fill_row(order),
    }


def _fill_row(order: Order) -> dict[str, Any]:
    ended = order.events[-1]
    fill = ended.data if isinstance(ended.data, Confirmed) else None
    started, quoted, sent = (_last(order.events, kind) for kind in (AttemptStarted, QuotesReceived, Submitted))
    if fill and started and isinstance(started.data, AttemptStarted) and started.data.last_failure:
        # A retry begins with the failure before it, and pauses before it asks for quotes.
        started = None
    return {
        "slippage_pct": fill and fill.slippage_pct,
        "slippage_used_pct": fill and _slippage_used(order, fill),
        "gain_pct": fill and order.quotes and _gain(order.quotes),
        "preview_gain_pct": fill and _preview_gain(order.events, fill),
        "quoting_ms": fill and _ms_between(started, quoted),
        "building_ms": fill and _ms_between(quoted, sent),
        "landing_ms": fill and _ms_between(sent, ended),
    }


def _retry_codes(events: Sequence[Event]) -> list[str]:
    """The code of each failure that another attempt followed."""
    return [
        event.data.last_failure.code.value
        for before, event in pairwise(events)
        if isinstance(event.data, AttemptStarted) and event.data.last_failure and event.attempt > before.attempt
    ]


def _slippage_used(order: Order, fill: Confirmed) -> Decimal | None:
    """The part, in percent, of the room between the quote and the minimum output that the fill took.

    A fill above its quote takes none. ``None`` for an order whose minimum output leaves no room.
    """
    quote = order.quotes.quote_of(fill.venue) if order.quotes else None
    if quote is None or order.min_amount_out is None or quote.amount_out <= order.min_amount_out:
        return None
    return percent(max(quote.amount_out - fill.amount_out, 0), quote.amount_out - order.min_amount_out)


def _gain(quotes: QuotesReceived) -> Decimal | None:
    """The advantage of the best quote over the worst in percent, if at least two venues gave one."""
    amounts = [answer.quote.amount_out for answer in quotes.answers if answer.quote]
    if len(amounts) < 2 or min(amounts) <= 0:
        return None
    return round((Decimal(max(amounts)) / min(amounts) - 1) * 100, _GAIN_PLACES)


def _preview_gain(events: Sequence[Event], fill: Confirmed) -> Decimal | None:
    """How much more than the first chosen quote the fill returned, in percent."""
    first = next((event.data for event in events if isinstance(event.data, QuotesReceived)), None)
    quote = first.quote_of(first.chosen) if first else None
    if quote is None or quote.amount_out <= 0:
        return None
    return percent(fill.amount_out - quote.amount_out, quote.amount_out)


def _last(events: Sequence[Event], kind: type[EventData]) -> Event | None:
    return next((event for event in reversed(events) if isinstance(event.data, kind)), None)


def _ms_between(begin: Event | None, end: Event | None) -> int | None:
    """Whole milliseconds, none for events of two workers whose clocks differ by more than the time between them."""
    if begin is None or end is None:
        return None
    return min(max((end.at - begin.at) // timedelta(milliseconds=1), 0), _MAX_INTEGER)
