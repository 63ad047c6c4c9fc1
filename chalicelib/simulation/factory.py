"""The simulation of a deployment, built from its settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil

from chalicelib.ports.hindsight import Hindsight
from chalicelib.ports.market import LaunchSource, MarketStore
from chalicelib.ports.venues import Ledger, Venue
from chalicelib.settings import InvalidSettingsError, Settings, invalid_value
from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.faults import Fault, check_fault, describe_fault, syntax
from chalicelib.simulation.feed import CachedMarketData
from chalicelib.simulation.hindsight import SimulatedHindsight
from chalicelib.simulation.launches import LaunchSchedule, pool_address
from chalicelib.simulation.market import PROFILES, SimulatedMarket
from chalicelib.simulation.venue import MAX_SWAP_MS
from chalicelib.simulation.venues import simulated_venues, venue_names


@dataclass(frozen=True, slots=True)
class Simulation:
    """The venues by name, the launches, and what request validation needs to know of them.

    ``max_swap_ms`` is the longest time in which a swap that was sent lands, without a simulated fault.
    """

    venues: Mapping[str, Venue]
    max_swap_ms: int
    hindsight: Hindsight
    launches: LaunchSource
    check_fault: Callable[[str], None]
    describe_fault: Callable[[str], str]
    pool_address: Callable[[str, str, str], str]


def build_simulation(
    settings: Settings,
    ledger: Ledger,
    market_data: MarketStore,
    now_ms: Callable[[], int],
    sleep: Callable[[float], None],
) -> Simulation:
    """:raises InvalidSettingsError: naming each variable of the simulation that is wrong."""
    check_simulation(settings)
    names = venue_names()
    context = SimulationContext(
        market=SimulatedMarket(settings.venue_seed, PROFILES[settings.venue_profile]),
        feed=CachedMarketData(market_data, int(settings.market_cache_seconds * 1000), now_ms),
        ledger=ledger,
        now_ms=now_ms,
        sleep=sleep,
        time_scale=settings.venue_time_scale,
        default_fault=Fault.parse(settings.venue_fault),
    )
    return Simulation(
        venues=simulated_venues(context),
        max_swap_ms=ceil(MAX_SWAP_MS * settings.venue_time_scale),
        hindsight=SimulatedHindsight(context, market_data),
        launches=LaunchSchedule(settings.venue_seed, settings.simulated_launch_seconds, names),
        check_fault=partial(check_fault, venues=names),
        describe_fault=describe_fault,
        pool_address=pool_address,
    )


def check_simulation(settings: Settings) -> None:
    """:raises InvalidSettingsError: naming each variable of the simulation that is wrong."""
    if problems := invalid_simulation(settings.venue_profile, settings.venue_fault):
        raise InvalidSettingsError(problems)


def invalid_simulation(profile: str, fault: str) -> list[str]:
    """One line for each of these settings of the simulation that is not valid. Empty text means the default."""
    problems = []
    if profile and profile not in PROFILES:
        problems.append(invalid_value("VENUE_PROFILE", profile, f"one of {', '.join(PROFILES)}"))
    if fault:
        try:
            check_fault(fault, venue_names())
        except ValueError:
            problems.append(invalid_value("VENUE_FAULT", fault, syntax(venue_names())))
    return problems
