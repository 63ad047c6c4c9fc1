"""Request rules of deployments with and without simulated faults."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from chalicelib.api.requests.orders import read_order
from chalicelib.api.requests.rules import RequestRules
from chalicelib.domain.spec import OrderSpec
from chalicelib.simulation.faults import check_fault, describe_fault
from chalicelib.simulation.launches import pool_address
from tests.support.callers import ANYONE

VENUES = ("raydium", "meteora")
RULES = RequestRules(VENUES, None, describe_fault, pool_address)
SIMULATION_RULES = replace(RULES, check_fault=partial(check_fault, venues=VENUES))


def order_of(body: Mapping[str, Any], *, simulation: bool = False, now: datetime) -> OrderSpec:
    """Read the order from a request body, without authentication."""
    return read_order(body, ANYONE, SIMULATION_RULES if simulation else RULES, now)
