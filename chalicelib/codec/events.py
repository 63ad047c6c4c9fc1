"""Events as JSON text. The form carries a version; events of version 1 are still read (``legacy_events``)."""

from typing import get_args

from chalicelib.codec.exact_json import loads
from chalicelib.codec.legacy_events import data_from_meta
from chalicelib.codec.tagged import TaggedUnion
from chalicelib.codec.times import from_text, to_text
from chalicelib.domain import events
from chalicelib.domain.events import Event, EventData, QuotesReceived
from chalicelib.domain.status import Status

VERSION = 2

_KINDS: dict[str, type[EventData]] = {
    "accepted": events.Accepted,
    "opened": events.Opened,
    "amended": events.Amended,
    "launch_refused": events.LaunchRefused,
    "price_moved_away": events.PriceMovedAway,
    "triggered_at_entry": events.TriggeredAtEntry,
    "price_triggered": events.PriceTriggered,
    "launch_triggered": events.LaunchTriggered,
    "attempt_started": events.AttemptStarted,
    "quotes_received": events.QuotesReceived,
    "building": events.Building,
    "submitted": events.Submitted,
    "confirmed": events.Confirmed,
    "failed": events.Failed,
    "cancelled": events.Cancelled,
    "expired": events.Expired,
}
if set(_KINDS.values()) != set(get_args(EventData)):
    raise TypeError("every kind of event needs a name")
_DATA: TaggedUnion[EventData] = TaggedUnion(_KINDS)


def event_to_json(event: Event) -> str:
    head = f'"v":{VERSION},"seq":{event.seq},"attempt":{event.attempt},"at":"{to_text(event.at)}"'
    return f'{{{head},"kind":"{kind_of(event.data)}","data":{data_to_json(event.data)}}}'


def event_from_json(text: str) -> Event:
    """:raises ValueError, LookupError, TypeError: if the text is not an event."""
    stored = loads(text)
    if "v" not in stored:
        at = from_text(stored["at"])
        return Event(
            stored["seq"], stored["attempt"], at, data_from_meta(Status(stored["status"]), stored["meta"], at)
        )
    if stored["v"] != VERSION:
        raise ValueError(f"an event of version {stored['v']}")
    data = _DATA.from_data(stored["kind"], stored["data"])
    return Event(stored["seq"], stored["attempt"], from_text(stored["at"]), data)


def kind_of(data: EventData) -> str:
    """The stored name of the kind."""
    return _DATA.name_of(data)


def data_to_json(data: EventData) -> str:
    """The data of an event alone, as the history stores it."""
    return _DATA.to_json(data)


def quotes_from_json(text: str) -> QuotesReceived:
    """The quotes that the history stores of an order.

    :raises ValueError, LookupError, TypeError: if the text holds no quotes.
    """
    stored = loads(text)
    is_legacy = "answers" not in stored
    data = data_from_meta(Status.ROUTING, stored) if is_legacy else _DATA.from_data("quotes_received", stored)
    if not isinstance(data, QuotesReceived):
        raise ValueError("no quotes")
    return data
