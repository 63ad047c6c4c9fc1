"""The benchmark's orders as the engine reads them from a request."""

from collections.abc import Mapping
from typing import Any

from chalicelib.api.requests.orders import read_order
from chalicelib.api.requests.rules import RequestRules
from chalicelib.clock import utc_now
from chalicelib.domain.spec import OrderSpec
from chalicelib.simulation.faults import describe_fault
from chalicelib.simulation.launches import pool_address
from chalicelib.simulation.venues import venue_names
from tests.support.callers import ANYONE


def spec_of(body: Mapping[str, Any]) -> OrderSpec:
    """The specification that the API handler builds from a request body."""
    return read_order(body, ANYONE, RequestRules(venue_names(), None, describe_fault, pool_address), utc_now())
