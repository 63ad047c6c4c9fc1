"""The venues the router asks. A new one is one file beside this and one line here."""

from collections.abc import Mapping

from chalicelib.ports.venues import Venue
from chalicelib.simulation.meteora import Meteora
from chalicelib.simulation.raydium import Raydium
from chalicelib.simulation.venue import SimulationContext

#: By name, in the order in which they are shown.
VENUE_NAMES = (Raydium.name, Meteora.name)


def simulated_venues(context: SimulationContext) -> Mapping[str, Venue]:
    """All venues by name, in the order in which they are shown."""
    venues: tuple[Venue, ...] = (Raydium(context), Meteora(context))
    return {venue.name: venue for venue in venues}
