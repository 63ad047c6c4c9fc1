"""The trace id of a request: that of its client's trace, else one that follows from the request id."""

import re
from uuid import UUID

import pytest

from chalicelib.observability.traces import trace_id_of

REQUEST = "7d1c5a4e-3f0e-4d0b-9a61-0c6b8a1b2c3d"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("traceparent", [f"00-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-00-later-fields"])
def test_a_request_within_a_trace_keeps_its_trace_id(traceparent: str) -> None:
    assert trace_id_of(REQUEST, traceparent) == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        TRACE,
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}",
        f" 00-{TRACE}-{SPAN}-01",
    ],
)
def test_a_request_without_a_valid_trace_has_the_digits_of_its_own_id(traceparent: str | None) -> None:
    assert trace_id_of(REQUEST, traceparent) == UUID(REQUEST).hex


def test_a_request_id_of_another_form_gives_an_id_of_its_own() -> None:
    one, other = trace_id_of("JKJaXmPLvHcESHA="), trace_id_of("JKJaXmPLvHcESHB=")
    assert one != other
    assert re.fullmatch("[0-9a-f]{32}", one)
