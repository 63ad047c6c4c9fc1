"""Events survive writing and reading exactly, and their stored form carries its version and its kind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.meta import meta_of
from chalicelib.codec.events import data_to_json, event_from_json, event_to_json, kind_of, quotes_from_json
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.orders import UNREADABLE
from chalicelib.codec.times import to_ms, to_text
from chalicelib.domain.conditions import Launch
from chalicelib.domain.events import Event, EventData, LaunchRefused, LaunchTriggered, QuotesReceived
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import Status
from tests.support.event_samples import SAMPLES
from tests.unit.order_strategies import event_data, lives, specs

data_of_any_kind: st.SearchStrategy[EventData] = st.one_of(*event_data.values())
times = st.integers(0, 2**42).map(lambda ms: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
events = st.builds(Event, st.integers(1, 300), st.integers(0, 3), times, data_of_any_kind)


@given(events)
def test_an_event_of_any_kind_survives_writing_and_reading(event: Event) -> None:
    assert event_from_json(event_to_json(event)) == event


@given(lives())
def test_every_event_of_a_life_survives_writing_and_reading(order: Order) -> None:
    read = tuple(event_from_json(event_to_json(event)) for event in order.events)
    assert read == order.events
    assert Order.replayed(order.order_id, order.spec, read) == order


@given(events)
def test_the_stored_form_names_its_version_and_its_kind_and_holds_no_float(event: Event) -> None:
    stored = loads(event_to_json(event))
    assert list(stored) == ["v", "seq", "attempt", "at", "kind", "data"]
    assert (stored["v"], stored["kind"], stored["at"]) == (2, kind_of(event.data), to_text(event.at))
    assert dumps(stored["data"]) == dumps(loads(data_to_json(event.data)))
    assert not holds_fraction(stored["data"])


def holds_fraction(value: Any) -> bool:
    """True if a number is not an integer. Prices are strings, so that no reader takes them for floats."""
    if isinstance(value, dict | list):
        return any(map(holds_fraction, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, str | bool | int | None)


@given(event_data[Status.ROUTING].filter(lambda data: isinstance(data, QuotesReceived)))
def test_the_quotes_of_the_history_survive_writing_and_reading(quotes: EventData) -> None:
    assert quotes_from_json(data_to_json(quotes)) == quotes


@pytest.mark.parametrize("data", SAMPLES.values(), ids=lambda data: type(data).__name__)
def test_data_that_holds_no_quotes_is_not_read_as_quotes(data: EventData) -> None:
    with pytest.raises(UNREADABLE):
        quotes_from_json(data_to_json(data))


@given(specs, events)
def test_the_public_meta_is_the_form_of_version_1_and_is_read_as_such(spec: OrderSpec, event: Event) -> None:
    """The two forms differ nowhere, so neither can change without the other.

    Version 1 had no time of a launch or refusal.
    """
    stored = {
        "seq": event.seq,
        "status": event.status.value,
        "attempt": event.attempt,
        "at": to_text(event.at),
        "meta": meta_of(spec, event),
    }
    assert event_from_json(dumps(stored)) == as_version_1(event)


def as_version_1(event: Event) -> Event:
    def known(launch: Launch) -> Launch:
        return replace(launch, at_ms=to_ms(event.at), quote=None)

    match event.data:
        case LaunchRefused(launch=launch, reason=reason):
            return replace(event, data=LaunchRefused(known(launch), reason))
        case LaunchTriggered(launch=launch):
            return replace(event, data=LaunchTriggered(known(launch)))
        case _:
            return event


@given(lives())
def test_the_meta_of_every_event_is_json_without_absent_keys(order: Order) -> None:
    for event in order.events:
        meta = meta_of(order.spec, event)
        assert loads(dumps(meta)) == meta
        # A venue that was not asked has no quote; every other field that does not apply is absent.
        assert {name for name, value in meta.items() if value is None} <= {"rQuote", "mQuote", "slippagePct"}


@pytest.mark.parametrize("version", [0, 1, 3, "2", None])
def test_an_event_of_an_unknown_version_is_refused(version: object) -> None:
    event = Event(1, 0, datetime(2026, 1, 1, tzinfo=UTC), SAMPLES[Status.PENDING])
    stored = loads(event_to_json(event)) | {"v": version}
    with pytest.raises(ValueError, match="version"):
        event_from_json(dumps(stored))


@pytest.mark.parametrize("kind", ["", "Accepted", "open", None, 1])
def test_an_event_of_an_unknown_kind_is_refused(kind: object) -> None:
    event = Event(1, 0, datetime(2026, 1, 1, tzinfo=UTC), SAMPLES[Status.PENDING])
    stored = loads(event_to_json(event)) | {"kind": kind}
    with pytest.raises(LookupError):
        event_from_json(dumps(stored))
