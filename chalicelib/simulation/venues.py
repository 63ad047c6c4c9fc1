"""The registry of venues. A new venue is one file beside this one and one line in ``VENUES``.

A real exchange implements ``ports.venues.Venue``; a simulated one extends ``SimulatedVenue``.
"""

from collections.abc import Mapping

from chalicelib.simulation.context import SimulationContext
from chalicelib.simulation.meteora import Meteora
from chalicelib.simulation.raydium import Raydium
from chalicelib.simulation.venue import SimulatedVenue

#: In the order in which clients see them. New venues go to the end: the order decides the names of quotes.
VENUES: tuple[type[SimulatedVenue], ...] = (
    Raydium,
    Meteora,
)


def venue_names() -> tuple[str, ...]:
    return tuple(venue.name for venue in VENUES)


def simulated_venues(context: SimulationContext) -> Mapping[str, SimulatedVenue]:
    """The venues by name, in the order of the registry."""
    return {venue.name: venue(context) for venue in VENUES}
